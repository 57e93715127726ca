"""Answers as files: JSON, COCO, pictures, a page. One exporter a file, all through the registry."""
