-- Whose a refused row is can be proposed where the ledger says under which headings it was sent. Deliveries from before
-- that column have rows that still say it; their order is lost, and nothing asks for it.
update ops.load
set headings = told.headings
from (
    select sent.load_id, jsonb_object_agg(sent.part, sent.names) as headings
    from (
        select kept.load_id, coalesce(kept.part, '') as part, jsonb_agg(distinct heading) as names
        from ops.quarantine as kept
        cross join lateral jsonb_object_keys(kept.raw) as heading
        where not kept.raw ? '_line'
        group by kept.load_id, coalesce(kept.part, '')
    ) as sent
    group by sent.load_id
) as told
where ops.load.load_id = told.load_id and ops.load.headings = '{}';
