"""deixis for MCP clients: `deixis mcp` offers ask, tag, ground, segment, hear and match."""
