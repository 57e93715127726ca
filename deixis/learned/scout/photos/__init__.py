"""Traces made of real pictures and sounds, through tools: recogniser, question maker, trace maker."""
