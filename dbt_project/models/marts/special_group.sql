-- The database of special groups: who is in which, since when, and who has left, with every time of the latter.
{{ config(
    incremental_strategy='mirror',
    unique_key=['person_id', 'special_group', 'joined_on'],
    meta={'touched_by': {'column': 'person_id', 'of': 'person_id'}},
    indexes=[{'columns': ['division_code text_pattern_ops', 'special_group']}],
) }}

with

spell as (
    select *
    from {{ ref('int_spell') }}
    where
        membership not in ('minimum_allowance', 'special_hardship')
        and {{ is_touched('person_id') }}
),

person as (
    select *
    from {{ ref('marts_person') }}
),

final as (
    select
        spell.person_id,
        spell.membership as special_group,
        case when spell.left_on is null then 'current' else 'left' end as status,
        spell.joined_on,
        spell.is_start_known,
        spell.left_on,
        left(spell.division_code, 6) as county_code,
        spell.division_code,
        person.household_id,
        person.sex,
        person.age,
        person.is_covered,
        person.is_low_income,
        person.is_severely_disabled
    from spell
    left join person
        on spell.person_id = person.person_id
)

select * from final
