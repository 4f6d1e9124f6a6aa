"""The engine in processes of its own: what is handed to them, what comes back, and what becomes of a broken one."""
