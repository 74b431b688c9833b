with

versions as (
    {{ versions_of('household_visit') }}
),

standing as (
    select
        versions._county_code,
        versions.warning_id,
        versions.visited_on,
        versions.visitor,
        versions.finding,
        versions.refer_to,
        versions.measure,
        versions.remark,
        versions._area_code,
        versions._valid_from,
        versions._valid_from as _data_date,
        versions._load_id,
        versions._row_no
    from versions
    where {{ holds('versions') }}
),

-- Taken apart once, though it is asked for twice.
named as materialized (
    select
        standing.*,
        ops.warning_ids(standing.warning_id) as warning_ids
    from standing
),

-- One visit to a household answers for all of its warnings that its line names.
answered as (
    select
        named.*,
        answer.warning_id as answered_id,
        cardinality(named.warning_ids) as warnings_named
    from named
    cross join lateral unnest(named.warning_ids) as answer (warning_id)
),

-- Of one day's lines the one that names the fewest says most of a warning.
final as (
    select distinct on (answered_id, visited_on)
        _county_code,
        answered_id as warning_id,
        visited_on,
        visitor,
        finding,
        refer_to,
        measure,
        remark,
        _area_code,
        _valid_from,
        _data_date,
        _load_id,
        _row_no
    from answered
    order by
        answered_id,
        visited_on,
        warnings_named,
        _valid_from desc,
        _load_id desc,
        _row_no desc
)

select * from final
