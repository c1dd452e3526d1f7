"""Jobs, their order, and the pipeline that each goes through."""
