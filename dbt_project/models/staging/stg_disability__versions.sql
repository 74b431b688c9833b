with

final as (
    {{ known_versions_of('disability') }}
)

select * from final
