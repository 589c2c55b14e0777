"""A simulated QuickBooks company, Web Connector, FTP server and orders database, for demo, trying and tests."""
