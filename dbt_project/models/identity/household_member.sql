{{ config(
    incremental_strategy='mirror',
    unique_key='person_id',
    meta={'touched_by': {'column': 'person_id', 'of': 'person_id'}},
    indexes=[{'columns': ['household_id']}],
) }}

with

final as (
    select
        household_id,
        person_id,
        county_code,
        division_code,
        is_head,
        relation_to_head,
        register,
        register_no,
        _load_id as load_id,
        _row_no as row_no
    from {{ ref('int_household_member') }}
)

select * from final
