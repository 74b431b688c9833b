-- What the registers contradict each other in, person by person, as a history: a difference stays one row from the
-- comparison that first found it to the one that no longer does, as a warning does.
{{ config(
    incremental_strategy='changes',
    unique_key=['kind', 'person_id', 'first_seen_on'],
    full_refresh=false,
    post_hook=[
        "{{ leave_room() }}",
        "{{ differences_still_standing() }}",
        "{{ index_kept('standing', '(kind, person_id) where closed_on is null', unique=true) }}",
        "{{ index_kept('person', '(person_id)') }}",
        "{{ index_kept('division', '(division_code text_pattern_ops)') }}",
        "{{ analyze_kept() }}",
    ],
) }}

with

difference as (
    select *
    from {{ ref('int_register_difference') }}
),

previous as (
    {{ previous_differences() }}
),

-- What an earlier comparison of the same date closed counts as standing: the last one of a date decides.
standing as (
    select *
    from previous
    where
        first_seen_on <= {{ as_of() }}
        and (closed_on is null or closed_on >= {{ as_of() }})
        and {{ is_touched('person_id') }}
),

met as (
    select
        coalesce(difference.kind, standing.kind) as kind,
        coalesce(difference.person_id, standing.person_id) as person_id,
        coalesce(difference.household_id, standing.household_id) as household_id,
        coalesce(difference.county_code, standing.county_code) as county_code,
        coalesce(difference.division_code, standing.division_code) as division_code,
        difference.person_id is not null as is_found,
        case when difference.person_id is null then standing.poverty_status else difference.poverty_status end
            as poverty_status,
        case when difference.person_id is null then standing.civil_benefit else difference.civil_benefit end
            as civil_benefit,
        case when difference.person_id is null then standing.register_value else difference.register_value end
            as register_value,
        case when difference.person_id is null then standing.civil_value else difference.civil_value end
            as civil_value,
        coalesce(difference.unit, standing.unit) as unit,
        coalesce(standing.first_seen_on, {{ as_of() }}) as first_seen_on,
        standing.last_seen_on,
        coalesce(difference.facts, standing.facts) as facts
    from standing
    full join difference
        on standing.kind = difference.kind
        and standing.person_id = difference.person_id
),

final as (
    select
        {{ as_of() }} as as_of,
        kind,
        person_id,
        household_id,
        county_code,
        division_code,
        poverty_status,
        civil_benefit,
        register_value,
        civil_value,
        unit,
        case
            when not is_found then 'gone'
            when first_seen_on = {{ as_of() }} then 'new'
            else 'still'
        end as state,
        first_seen_on,
        case when is_found then {{ as_of() }} else last_seen_on end as last_seen_on,
        case when not is_found then {{ as_of() }} end as closed_on,
        facts
    from met
    {% if var('history_schema') and not is_incremental() %}
    union all
    -- What was gone by then: in the present it stands in the table already.
    select
        as_of,
        kind,
        person_id,
        household_id,
        county_code,
        division_code,
        poverty_status,
        civil_benefit,
        register_value,
        civil_value,
        unit,
        state,
        first_seen_on,
        last_seen_on,
        closed_on,
        facts
    from previous
    where closed_on < {{ as_of() }}
    {% endif %}
)

select * from final
