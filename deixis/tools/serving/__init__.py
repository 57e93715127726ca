"""A toolbox behind HTTP: `deixis tools serve`. The other end of the line is `deixis.tools.remote`."""
