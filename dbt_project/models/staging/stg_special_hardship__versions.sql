with

final as (
    {{ known_versions_of('special_hardship') }}
)

select * from final
