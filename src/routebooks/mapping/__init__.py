"""Maps: named target columns, each from a field, a constant or a formula. Pure: tables in, tables out."""
