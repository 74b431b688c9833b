-- How the departments' text is read. A function in SQL is inlined as long as it holds no subquery, one in PL/pgSQL
-- is called for each value. So the well-written value, nearly every one, is answered by an inlined expression, and
-- only what it does not know is read with more patience (the functions called *_as_written). What is left of a value's
-- bytes without its leading digits tells its form at a fifth of the price of a regular expression; of characters, which
-- may take several bytes, ltrim first makes a list.

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

-- The numbers of the warnings that one line of a visit list answers for: capital letters, each by itself.
create or replace function ops.warning_ids(value text) returns text[]
language sql immutable parallel safe
return array_remove(regexp_split_to_array(upper(ops.half_width(value)), '[;,、\s]+'), '');

-- The check character (GB 11643-1999) of a citizen ID's first 8 and next 9 digits. The standard weighs the digits by
-- powers of two, and the sum of d_k * 2^k over the digits of n is n - 8 * sum of floor(n / 10^k) * 2^(k-1). Of four bytes
-- each, since dividing eight costs twice as much.
create or replace function ops.citizen_id_check_character(head integer, tail integer) returns text
language sql immutable parallel safe
return substr('10X98765432', 1 + 2 * (
    512 * (
        head - 8 * (
            head / 10 + head / 100 * 2 + head / 1000 * 4 + head / 10000 * 8 + head / 100000 * 16 + head / 1000000 * 32
            + head / 10000000 * 64
        )
    )
    + tail - 8 * (
        tail / 10 + tail / 100 * 2 + tail / 1000 * 4 + tail / 10000 * 8 + tail / 100000 * 16 + tail / 1000000 * 32
        + tail / 10000000 * 64 + tail / 100000000 * 128
    )
) % 11, 1);

create or replace function ops.citizen_id_check_character(seventeen bigint) returns text
language sql immutable parallel safe
return ops.citizen_id_check_character((seventeen / 1000000000)::integer, (seventeen % 1000000000)::integer);

-- A citizen ID as it is compared: half-width, upper X, without spaces, tabs and a leading apostrophe; 15 digits
-- upgraded (19 before the birth date, 18 for the sequences 996-999 of centenarians, and a check character).
create or replace function ops.citizen_id_as_written(value text) returns text
language plpgsql immutable strict parallel safe
as $$
declare
    bare text := translate(ops.half_width(value), E' \t\r\n\u00A0\u3000\u200B\uFEFF', '');
    seventeen text;
begin
    bare := upper(ltrim(bare, '''‘’'));
    if bare !~ '^[0-9]{15}$' then
        return nullif(bare, '');
    end if;
    seventeen := substr(bare, 1, 6) || case when right(bare, 3) >= '996' then '18' else '19' end || substr(bare, 7);
    return seventeen || ops.citizen_id_check_character(seventeen::bigint);
end
$$;

-- Whether a value has the form of a normalised citizen ID already.
create or replace function ops.is_citizen_id(value text) returns boolean
language sql stable parallel safe
return octet_length(value) = 18 and ltrim(convert_to(value, 'UTF8'), '0123456789'::bytea) in ('', 'X');

create or replace function ops.citizen_id(value text) returns text
language sql stable parallel safe
return case when ops.is_citizen_id(value) then value else ops.citizen_id_as_written(value) end;

-- Why a normalised citizen ID cannot be a person's; null where it can. An unknown area is no reason.
create or replace function ops.citizen_id_fault(value text) returns text
language plpgsql stable strict parallel safe
as $$
declare
    seventeen bigint;
    year integer;
    month integer;
    day integer;
begin
    if value !~ '^[0-9]{17}[0-9X]$' then
        return case when length(value) <> 18 then 'length' else 'characters' end;
    end if;
    seventeen := left(value, 17)::bigint;
    year := seventeen / 10000000 % 10000;
    month := seventeen / 100000 % 100;
    day := seventeen / 1000 % 100;
    if
        year < 1900 or month not between 1 and 12 or day < 1
        or day > (
            case
                when month in (4, 6, 9, 11) then 30
                when month <> 2 then 31
                when year % 4 = 0 and (year % 100 <> 0 or year % 400 = 0) then 29
                else 28
            end
        )
        or make_date(year, month, day) > current_date
    then
        return 'birth_date';
    end if;
    return case when right(value, 1) <> ops.citizen_id_check_character(seventeen) then 'check_character' end;
end
$$;

-- The same where the first 8 and the next 9 digits are known already, both null where it has not that form: most days
-- exist in every month and need no calendar, and most years lie behind every clock.
drop function if exists ops.citizen_id_fault(text, bigint);
drop function if exists ops.citizen_id_digits(text);
create or replace function ops.citizen_id_fault(value text, head integer, tail integer) returns text
language sql stable parallel safe
return case
    when
        tail / 1000 % 100 between 1 and 28 and tail / 100000 % 100 between 1 and 12
        and (head % 100 = 19 or head % 100 = 20 and tail / 10000000 <= 20)
        and right(value, 1) = ops.citizen_id_check_character(head, tail)
        then null
    else ops.citizen_id_fault(value)
end;

-- A date in any of the forms of feeds.md, a day number of a spreadsheet included; null where it is none.
create or replace function ops.date_as_written(value text) returns date
language plpgsql immutable strict parallel safe
as $$
declare
    bare text := ops.clean_text(regexp_replace(ops.half_width(value), ' +0?0:00(?::00)?$', ''));
begin
    bare := translate(bare, '年月/.日 ', '----');
    bare := case
        when bare ~ '^[0-9]{8}$' then substr(bare, 1, 4) || '-' || substr(bare, 5, 2) || '-' || substr(bare, 7, 2)
        when bare ~ '^[0-9]{5}(?:-0+)?$' then (date '1899-12-30' + left(bare, 5)::integer)::text
        else bare
    end;
    return case when bare ~ '^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}$' and pg_input_is_valid(bare, 'date') then bare::date end;
end
$$;

create or replace function ops.to_date(value text) returns date
language sql stable parallel safe
return case
    when
        octet_length(value) = 10 and value like '____-__-__' and octet_length(replace(value, '-', '')) = 8
        and ltrim(convert_to(replace(value, '-', ''), 'UTF8'), '0123456789'::bytea) = ''
        and pg_input_is_valid(value, 'date')
        then value::date
    else ops.date_as_written(value)
end;

-- Yuan with up to two decimals, written as 1200.5, 1,200.50, ￥1200 or 1200元; null where it is none.
create or replace function ops.money_as_written(value text) returns numeric
language plpgsql immutable strict parallel safe
as $$
declare
    bare text := ops.clean_text(ops.half_width(value));
begin
    bare := ltrim(rtrim(replace(replace(bare, 'RMB', ''), '人民币', ''), '元 '), '¥ ');
    if bare ~ '^[-+]?(?:[0-9]{1,12}|[0-9]{1,3}(?:,[0-9]{3}){1,3})(?:\.[0-9]{1,2}0*)?$' then
        return replace(bare, ',', '')::numeric(14, 2);
    end if;
    return null;
end
$$;

-- The cast stands around the case: of a constant, the planner would else try it on what the case keeps from it.
create or replace function ops.to_money(value text) returns numeric
language sql stable parallel safe
return coalesce(
    (
        case btrim(convert_to(value, 'UTF8'), '0123456789'::bytea)
            when '.'
                then case
                    when value like '_%.__' and octet_length(value) <= 15 then value
                    when value like '_%._' and octet_length(value) <= 14 then value
                end
            when '' then case when octet_length(value) between 1 and 12 then value end
        end
    )::numeric(14, 2),
    ops.money_as_written(value)
);

create or replace function ops.integer_as_written(value text) returns integer
language plpgsql immutable strict parallel safe
as $$
declare
    bare text := ops.clean_text(ops.half_width(value));
begin
    return case when bare ~ '^[-+]?[0-9]{1,9}(?:\.0+)?$' then split_part(bare, '.', 1)::integer end;
end
$$;

create or replace function ops.to_integer(value text) returns integer
language sql stable parallel safe
return coalesce(
    (
        case
            when
                octet_length(value) between 1 and 9 and ltrim(convert_to(value, 'UTF8'), '0123456789'::bytea) = ''
                then value
        end
    )::integer,
    ops.integer_as_written(value)
);

create or replace function ops.boolean_as_written(value text) returns boolean
language plpgsql immutable strict parallel safe
as $$
begin
    return case upper(ops.clean_text(ops.half_width(value)))
        when '是' then true when '有' then true when '1' then true
        when 'Y' then true when 'YES' then true when 'TRUE' then true
        when '否' then false when '无' then false when '0' then false
        when 'N' then false when 'NO' then false when 'FALSE' then false
    end;
end
$$;

create or replace function ops.to_boolean(value text) returns boolean
language sql immutable parallel safe
return case value when '是' then true when '否' then false else ops.boolean_as_written(value) end;

-- A division code of twelve digits; null where it is none.
create or replace function ops.division_as_written(value text) returns text
language plpgsql immutable strict parallel safe
as $$
declare
    bare text := ltrim(translate(ops.half_width(value), E' \t\u00A0', ''), '''‘’');
begin
    return case when bare ~ '^[1-9][0-9]{11}$' then bare end;
end
$$;

create or replace function ops.to_division(value text) returns text
language sql stable parallel safe
return case
    when
        octet_length(value) = 12 and value not like '0%'
        and ltrim(convert_to(value, 'UTF8'), '0123456789'::bytea) = ''
        then value
    else ops.division_as_written(value)
end;
