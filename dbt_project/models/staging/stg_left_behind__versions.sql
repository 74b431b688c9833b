with

final as (
    {{ known_versions_of('left_behind') }}
)

select * from final
