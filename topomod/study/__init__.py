"""One YAML: from circuits to rows, tables and verdicts."""
