with

final as (
    {{ known_versions_of('poverty_register') }}
)

select * from final
