"""SCOUT traces: made, checked, stored, counted, rendered. A trace is a training sample."""
