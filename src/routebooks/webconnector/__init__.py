"""The SOAP service that the QuickBooks Web Connector calls."""
