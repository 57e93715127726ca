"""How it flows: LangGraph state machines over the tools."""
