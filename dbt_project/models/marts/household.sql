-- The household card: everything known of one household, as columns for BI and as lists for a reader. No names and no
-- numbers of certificates, which may hold a citizen ID: `identity.person` says who a person is.
{{ config(
    incremental_strategy='mirror',
    unique_key='household_id',
    meta={'touched_by': {'column': 'household_id', 'of': 'household_id'}},
    indexes=[{'columns': ['division_code text_pattern_ops']}, {'columns': ['county_code']}],
) }}

with

card as (
    select *
    from {{ ref('int_household__card') }}
),

warning as (
    select *
    from {{ ref('warning') }}
    where
        closed_on is null
        and {{ is_touched('person_id') }}
),

level as (
    select *
    from {{ ref('level') }}
),

warnings as (
    select
        warning.household_id,
        count(*) as open_warnings,
        count(*) filter (where warning.is_overdue) as overdue_warnings,
        (array_agg(warning.level order by level.rank))[1] as worst_level,
        jsonb_agg(
            jsonb_build_object(
                'warning_id', warning.warning_id,
                'indicator_code', warning.indicator_code,
                'person_id', warning.person_id,
                'level', warning.level,
                'status', warning.status,
                'opened_on', warning.opened_on,
                'due_on', warning.due_on
            )
            order by level.rank, warning.warning_id
        ) as entries
    from warning
    inner join level
        on warning.level = level.level
    group by warning.household_id
),

final as (
    select
        card.*,
        coalesce(warnings.open_warnings, 0)::integer as open_warnings,
        coalesce(warnings.overdue_warnings, 0)::integer as overdue_warnings,
        warnings.worst_level,
        coalesce(warnings.entries, '[]') as warning_list
    from card
    left join warnings
        on card.household_id = warnings.household_id
)

select * from final
