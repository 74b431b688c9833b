with

different as (
    select *
    from {{ ref('int_person__contradicted') }}
    where
        is_named_differently
        and {{ is_touched('citizen_id', of='citizen_id') }}
),

sightings as (
    select *
    from {{ ref('int_person__sightings') }}
    where name is not null
),

told as (
    select
        sightings.*,
        {{ person_name('sightings.name') }} as normalised_name
    from sightings
    inner join different
        on sightings.citizen_id = different.citizen_id
),

-- The first row of each feed to say a name. The names are numbered, for an evidence names nobody: the rows do.
named as (
    select
        *,
        dense_rank() over (partition by citizen_id order by normalised_name) as name_no
    from (
        select distinct on (citizen_id, feed, normalised_name) *
        from told
        order by
            citizen_id,
            feed,
            normalised_name,
            _valid_from,
            is_own desc,
            _load_id,
            _row_no
    ) as first_rows
),

-- The day on which two rows of different feeds first said different names.
first_differences as (
    select
        named.citizen_id,
        min(greatest(named._valid_from, differing._valid_from)) as fact_on
    from named
    inner join named as differing
        on named.citizen_id = differing.citizen_id
        and named.feed < differing.feed
        and named.name_no <> differing.name_no
    group by named.citizen_id
),

final as (
    select
        named.citizen_id,
        count(distinct named.name_no) as different_names,
        count(distinct named.feed) as feeds,
        min(first_differences.fact_on) as fact_on,
        jsonb_agg(
            {{ fact_of('named.feed', 'named.name_column', "'name ' || named.name_no", 'named', 'named._valid_from') }}
            order by named.feed, named.name_no
        ) as facts
    from named
    inner join first_differences
        on named.citizen_id = first_differences.citizen_id
    group by named.citizen_id
)

select * from final
