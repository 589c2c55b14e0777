"""QuickBooks Desktop, reached through the Web Connector with qbXML."""
