-- A warning explains itself: something compared, each with what it was held against, and every fact with its row.
select indicator_code
from {{ ref('int_signal') }}
where
    coalesce(jsonb_array_length(evidence -> 'compared'), 0) = 0
    or coalesce(jsonb_array_length(evidence -> 'facts'), 0) = 0
    or exists (
        select 1
        from jsonb_array_elements(evidence -> 'compared') as item
        where not item ?& array['name', 'value', 'comparison'] or not item ?| array['limit', 'expected']
    )
    or exists (
        select 1
        from jsonb_array_elements(evidence -> 'facts') as item
        where num_nulls(item ->> 'feed', item ->> 'column', item ->> 'load_id', item ->> 'row_no') > 0
    )
