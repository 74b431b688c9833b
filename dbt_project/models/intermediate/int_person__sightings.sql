-- Every current row that names somebody by citizen ID, in whichever column of whichever feed. `is_own` tells a
-- person's own record from a mention as head or guardian in somebody else's.
{{ config(materialized='view') }}

{% for person in var('people') %}
select
    '{{ person.feed }}' as feed,
    {{ person.column }} as citizen_id,
    {{ person.name_column or 'null' }} as name,
    '{{ person.name_column or '' }}' as name_column,
    {{ person.is_own }} as is_own,
    division_code,
    _valid_from,
    _data_date,
    _load_id,
    _row_no
from {{ ref('stg_' ~ person.feed) }}
where {{ person.column }} is not null
{% if not loop.last %}union all{% endif %}
{% endfor %}
