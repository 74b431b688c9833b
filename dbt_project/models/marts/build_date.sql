-- The date for which the marts of this schema stand, for those that do not say it row by row: most rows of people and
-- households are the same from one night to the next, and are not to be written again for a date.
{{ config(incremental_strategy='mirror', unique_key='is_present') }}

with

final as (
    select
        {{ 'false' if var('schema_suffix') else 'true' }} as is_present,
        {{ as_of() }} as as_of
)

select * from final
