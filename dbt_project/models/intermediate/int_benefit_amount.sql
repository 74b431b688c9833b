-- Money by benefit, village and day. Grants and settlements are paid on their own day; of an allowance the registers
-- say what is due, so its amount counts once for each month on whose last day it is in force. From the beginning of the
-- year before, which is as far back as reports compare.
with

minimum_allowance as (
    {{ known_versions_of('minimum_allowance', everybody=true) }}
),

special_hardship as (
    {{ known_versions_of('special_hardship', everybody=true) }}
),

child_protection as (
    {{ known_versions_of('child_protection', everybody=true) }}
),

temporary_assistance as (
    {{ everybodys('temporary_assistance') }}
),

medical_assistance as (
    {{ everybodys('medical_assistance') }}
),

education_assistance as (
    {{ known_versions_of('education_assistance', everybody=true) }}
),

housing_assistance as (
    {{ everybodys('housing_assistance') }}
),

month as (
    {{ report_months() }}
),

whole_month as (
    select last_on as ends_on
    from month
    where last_on = (month + interval '1 month')::date - 1
),

-- Every member's row says the amount of the whole certificate, mostly all of them the same for the same days.
stated as (
    select distinct
        _county_code,
        certificate_no,
        division_code,
        monthly_amount,
        greatest(_valid_from, start_date) as first_on,
        least(_valid_to - 1, end_date) as last_on
    from minimum_allowance
),

certificate as (
    select
        stated._county_code,
        stated.certificate_no,
        whole_month.ends_on,
        min(stated.division_code) as division_code,
        max(stated.monthly_amount) as amount
    from stated
    inner join whole_month
        on whole_month.ends_on between stated.first_on and stated.last_on
    group by
        stated._county_code,
        stated.certificate_no,
        whole_month.ends_on
),

-- A term's aid is dated by the list that first has the student in that term; what it says last counts.
term as (
    select
        min(_valid_from) as paid_on,
        -- The greatest of these arrays is that of the last list; no sort finds it.
        max(array[_valid_from::text, division_code, aid_amount::text]) as latest
    from education_assistance
    group by
        _county_code,
        student_no,
        term
),

paid as (
    select
        'minimum_allowance' as benefit,
        true as is_monthly,
        division_code,
        ends_on as paid_on,
        amount
    from certificate
    union all
    select
        'special_hardship' as benefit,
        true as is_monthly,
        special_hardship.division_code,
        whole_month.ends_on as paid_on,
        special_hardship.monthly_amount as amount
    from special_hardship
    inner join whole_month
        on special_hardship._valid_from <= whole_month.ends_on
        and special_hardship._valid_to > whole_month.ends_on
        and special_hardship.start_date <= whole_month.ends_on
        and coalesce(special_hardship.end_date, 'infinity') >= whole_month.ends_on
    union all
    select
        'child_protection' as benefit,
        true as is_monthly,
        child_protection.division_code,
        whole_month.ends_on as paid_on,
        child_protection.monthly_amount as amount
    from child_protection
    inner join whole_month
        on child_protection._valid_from <= whole_month.ends_on
        and child_protection._valid_to > whole_month.ends_on
        and coalesce(child_protection.start_date, '-infinity') <= whole_month.ends_on
        and coalesce(child_protection.end_date, 'infinity') >= whole_month.ends_on
    union all
    select
        'temporary_assistance' as benefit,
        false as is_monthly,
        division_code,
        granted_on as paid_on,
        amount
    from temporary_assistance
    union all
    select
        'medical_assistance' as benefit,
        false as is_monthly,
        division_code,
        settled_on as paid_on,
        aid_paid as amount
    from medical_assistance
    union all
    select
        'education_assistance' as benefit,
        false as is_monthly,
        latest[2] as division_code,
        paid_on,
        latest[3]::numeric as amount
    from term
    union all
    select
        'housing_assistance' as benefit,
        false as is_monthly,
        division_code,
        completed_on as paid_on,
        subsidy_amount as amount
    from housing_assistance
    where works = 'completed'
),

final as (
    select
        benefit,
        is_monthly,
        division_code,
        paid_on,
        count(*) as payments,
        sum(amount) as amount
    from paid
    where
        amount > 0
        and paid_on <= {{ as_of() }}
        and paid_on >= {{ first_report_month() }}
    group by
        benefit,
        is_monthly,
        division_code,
        paid_on
)

select * from final
