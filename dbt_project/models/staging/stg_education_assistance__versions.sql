with

final as (
    {{ known_versions_of('education_assistance') }}
)

select * from final
