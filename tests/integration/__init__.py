"""A real gateway between a client of ours and a real PostgreSQL. Each file is about one thing that must hold."""
