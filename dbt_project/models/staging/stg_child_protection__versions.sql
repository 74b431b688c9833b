with

final as (
    {{ known_versions_of('child_protection') }}
)

select * from final
