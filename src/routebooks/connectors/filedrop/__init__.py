"""Where files go: a local folder or an FTP server behind one small protocol."""
