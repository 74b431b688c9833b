with

final as (
    {{ known_versions_of('minimum_allowance') }}
)

select * from final
