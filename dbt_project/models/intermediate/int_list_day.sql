-- The days for which a list of a feed came from a county, as far as one can see: a list that changed nothing in a whole
-- county goes unseen, and the one before it stands in. Counted over everybody, whomever the night touches.
with

{% set feeds = ['minimum_allowance', 'special_hardship', 'disability', 'left_behind', 'child_protection'] %}
{% for feed in feeds %}
{{ feed }} as (
    select distinct
        versions._county_code,
        versions._valid_from,
        versions._valid_to
    from ({{ known_versions_of(feed, everybody=true) }}) as versions
),

{% endfor %}
final as (
    {% for feed in feeds %}
    select
        '{{ feed }}' as feed,
        _county_code,
        _valid_from as listed_on
    from {{ feed }}
    union
    select
        '{{ feed }}' as feed,
        _county_code,
        _valid_to as listed_on
    from {{ feed }}
    where _valid_to <= {{ as_of() }}
    {% if not loop.last %}union{% endif %}
    {% endfor %}
)

select * from final
