"""Our own state: the only home of SQL on our database."""
