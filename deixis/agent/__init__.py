"""What users hold: Agent, profiles, rendering, exports."""
