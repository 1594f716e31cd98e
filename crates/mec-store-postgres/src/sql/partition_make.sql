SELECT make_ledger_partitions(12)
