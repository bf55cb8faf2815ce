"""Bad inputs for every rpc, as tables: what is sent, and which refusal has to come."""
