-- How the departments' text is read. Each function is immutable and a single expression,
-- so that Postgres inlines it and a million rows stay one scan.

-- Text without spaces at its ends (full-width ones too), null where nothing is left.
create or replace function ops.clean_text(value text) returns text
language sql immutable parallel safe
return nullif(btrim(value, E' \t\r\n\u00A0\u3000\uFEFF'), '');

-- Digits, letters and signs that were typed full-width, as half-width ones.
create or replace function ops.half_width(value text) returns text
language sql immutable parallel safe
return translate(
    value,
    '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～￥　',
    '!"#$%&''()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefghijklmnopqrstuvwxyz{|}~¥ '
);

-- A citizen ID as it is compared: half-width, upper X, no spaces, tabs or leading apostrophe; 15 digits upgraded
-- (GB 11643-1999: 19 before the birth date, 18 for the sequences 996-999 of centenarians, and a check character).
create or replace function ops.citizen_id_check_character(seventeen text) returns text
language sql immutable strict parallel safe
return substr('10X98765432', 1 + (
    7 * (ascii(substr(seventeen, 1, 1)) - 48) + 9 * (ascii(substr(seventeen, 2, 1)) - 48)
    + 10 * (ascii(substr(seventeen, 3, 1)) - 48) + 5 * (ascii(substr(seventeen, 4, 1)) - 48)
    + 8 * (ascii(substr(seventeen, 5, 1)) - 48) + 4 * (ascii(substr(seventeen, 6, 1)) - 48)
    + 2 * (ascii(substr(seventeen, 7, 1)) - 48) + 1 * (ascii(substr(seventeen, 8, 1)) - 48)
    + 6 * (ascii(substr(seventeen, 9, 1)) - 48) + 3 * (ascii(substr(seventeen, 10, 1)) - 48)
    + 7 * (ascii(substr(seventeen, 11, 1)) - 48) + 9 * (ascii(substr(seventeen, 12, 1)) - 48)
    + 10 * (ascii(substr(seventeen, 13, 1)) - 48) + 5 * (ascii(substr(seventeen, 14, 1)) - 48)
    + 8 * (ascii(substr(seventeen, 15, 1)) - 48) + 4 * (ascii(substr(seventeen, 16, 1)) - 48)
    + 2 * (ascii(substr(seventeen, 17, 1)) - 48)
) % 11, 1);

create or replace function ops.upgrade_citizen_id(fifteen text) returns text
language sql immutable strict parallel safe
return substr(fifteen, 1, 6)
    || case when substr(fifteen, 13, 3) between '996' and '999' then '18' else '19' end
    || substr(fifteen, 7, 9);

create or replace function ops.citizen_id(value text) returns text
language sql immutable parallel safe
return (
    select case
        when bare ~ '^[0-9]{15}$'
            then ops.upgrade_citizen_id(bare) || ops.citizen_id_check_character(ops.upgrade_citizen_id(bare))
        else nullif(bare, '')
    end
    from (select upper(ltrim(translate(ops.half_width(value), E' \t\r\n\u00A0\u3000\u200B\uFEFF', ''), '''‘’')) as bare)
);

-- Why a normalised citizen ID cannot be a person's; null where it can. An unknown area is no reason.
create or replace function ops.citizen_id_fault(value text) returns text
language sql stable parallel safe
return case
    when length(value) <> 18 then 'length'
    when value !~ '^[0-9]{17}[0-9X]$' then 'characters'
    when not pg_input_is_valid(substr(value, 7, 8), 'date') or substr(value, 7, 8) < '19000101'
        or substr(value, 7, 8) > to_char(current_date, 'YYYYMMDD') then 'birth_date'
    when right(value, 1) <> ops.citizen_id_check_character(left(value, 17)) then 'check_character'
end;

-- A date in any of the forms of feeds.md, a day number of a spreadsheet included; null where it is none.
create or replace function ops.to_date(value text) returns date
language sql immutable parallel safe
return (
    select case
        when text ~ '^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}$' and pg_input_is_valid(text, 'date') then text::date
        when text ~ '^[0-9]{5}(\.0+)?$' then date '1899-12-30' + split_part(text, '.', 1)::integer
    end
    from (
        select case
            when bare ~ '^[0-9]{8}$' then substr(bare, 1, 4) || '-' || substr(bare, 5, 2) || '-' || substr(bare, 7, 2)
            else regexp_replace(
                bare, '^([0-9]{4}) *[-/.年] *([0-9]{1,2}) *[-/.月] *([0-9]{1,2}) *日?( +0?0:00(:00)?)?$', '\1-\2-\3'
            )
        end as text
        from (select ops.clean_text(ops.half_width(value)) as bare)
    )
);

-- Yuan with up to two decimals, written as 1200.5, 1,200.50, ￥1200 or 1200元; null where it is none.
create or replace function ops.to_money(value text) returns numeric
language sql immutable parallel safe
return (
    select case
        when bare ~ '^[-+]?([0-9]{1,12}|[0-9]{1,3}(,[0-9]{3}){1,3})(\.[0-9]{1,2}0*)?$'
            then replace(bare, ',', '')::numeric(14, 2)
    end
    from (
        select regexp_replace(ops.clean_text(ops.half_width(value)), '^[¥￥] *|(RMB|人民币) *| *元$', '', 'g') as bare
    )
);

create or replace function ops.to_integer(value text) returns integer
language sql immutable parallel safe
return (
    select case when bare ~ '^[-+]?[0-9]{1,9}(\.0+)?$' then split_part(bare, '.', 1)::integer end
    from (select ops.clean_text(ops.half_width(value)) as bare)
);

create or replace function ops.to_boolean(value text) returns boolean
language sql immutable parallel safe
return case upper(ops.clean_text(ops.half_width(value)))
    when '是' then true when '有' then true when '1' then true when 'Y' then true when 'YES' then true
    when 'TRUE' then true
    when '否' then false when '无' then false when '0' then false when 'N' then false when 'NO' then false
    when 'FALSE' then false
end;

-- A division code of twelve digits; null where it is none.
create or replace function ops.to_division(value text) returns text
language sql immutable parallel safe
return (
    select case when bare ~ '^[1-9][0-9]{11}$' then bare end
    from (select ltrim(translate(ops.half_width(value), E' \t\u00A0', ''), '''‘’') as bare)
);
