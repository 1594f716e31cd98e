-- Where no account is named, events are told in the order of their time.

CREATE INDEX consumption_ledger_by_time ON consumption_ledger (namespace_id, occurred_at, event_id);
