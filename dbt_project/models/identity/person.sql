-- Somebody whom no current row names any more stays: a warning about them may be older than that.
{{ config(incremental_strategy='changes', unique_key='person_id') }}

with

final as (
    select
        person_id,
        county_code,
        citizen_id,
        name,
        sex,
        birth_on,
        division_code
    from {{ ref('int_person') }}
)

select * from final
