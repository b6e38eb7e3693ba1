# What the owner of a make or a portal wrote runs with no more rights than that role has, whoever asks for the run and
# wherever the code hides: in functions of templates, views, indexes, checks, domains and triggers, and in objects that
# shadow PostgreSQL's own.
use strict;
use warnings;
use PgEtl::Roles;
use Test::More;

my $etl = PgEtl::Roles->new('hostile', sources => 0);
# The sessions of the test itself must not meet the shadows.
$ENV{PGOPTIONS} = '-c search_path=pg_catalog,public';
$ENV{PGAPPNAME} = 'test';

# All of it in the hands of mallory. The code notes as whom it runs, and tries what would raise its writer. It is IMMUTABLE
# by name only, so it gets to run at planning too.
$etl->sql(<<'SQL');
DROP EXTENSION pg_etl;
CREATE ROLE mallory LOGIN;
CREATE ROLE victim LOGIN;
CREATE DATABASE untouched;
SQL
$etl->sql(<<'SQL');
CREATE SCHEMA evil AUTHORIZATION mallory;
GRANT USAGE, CREATE ON SCHEMA evil TO PUBLIC;
GRANT CREATE ON SCHEMA public TO mallory;
SET ROLE mallory;
CREATE TABLE evil.log (place text, who name, session name, super text, worker boolean);
CREATE TABLE evil.feats (feat text, who name);
GRANT ALL ON evil.log, evil.feats TO PUBLIC;
CREATE FUNCTION evil.attempt(feat text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE feat;
    INSERT INTO evil.feats VALUES (feat, current_user);
EXCEPTION WHEN OTHERS THEN
    NULL;
END $$;
CREATE FUNCTION evil.note(place text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('application_name') = 'test' OR (SELECT count(*) FROM evil.log l WHERE l.place = note.place) > 5 THEN
        RETURN;
    END IF;
    INSERT INTO evil.log VALUES (place, current_user, session_user, current_setting('is_superuser'),
        EXISTS (SELECT FROM pg_stat_activity WHERE pid = pg_backend_pid() AND backend_type = 'pg_etl worker'));
    PERFORM evil.attempt(feat) FROM unnest(ARRAY[
        'ALTER ROLE mallory SUPERUSER', 'ALTER ROLE mallory BYPASSRLS', 'CREATE ROLE mallet SUPERUSER',
        'GRANT postgres TO mallory', 'GRANT victim TO mallory', 'GRANT pg_read_all_data TO mallory',
        'SET ROLE postgres', 'SET ROLE victim', 'SET SESSION AUTHORIZATION postgres', 'SET SESSION AUTHORIZATION victim',
        'UPDATE etl.make SET owner = 10::regrole', 'INSERT INTO etl.rates (relation) VALUES (''evil.log'')',
        'CREATE TABLE etl.mine ()', 'ALTER EXTENSION pg_etl ADD TABLE evil.log', 'DROP DATABASE untouched',
        'ALTER SYSTEM SET work_mem = 1234', 'COPY evil.log TO PROGRAM ''true''', 'DELETE FROM etl.event',
        'SELECT pg_read_file(''postgresql.conf'')']) feat;
    -- These alone may be allowed, but whose rights are in force then?
    PERFORM evil.attempt(feat) FROM unnest(ARRAY['RESET SESSION AUTHORIZATION', 'RESET ROLE', 'RESET ALL',
        'SET SESSION AUTHORIZATION DEFAULT', 'SET search_path = evil, public, pg_catalog', 'SET row_security = on',
        'SET statement_timeout = ''1h''', 'CREATE TEMP TABLE run (run_id bigint)', 'CREATE TEMP TABLE pg_class (oid oid)',
        'INSERT INTO evil.late VALUES (''late'')', 'PREPARE etl AS SELECT 1', 'LISTEN etl']) feat;
EXCEPTION WHEN OTHERS THEN
    NULL;
END $$;
CREATE FUNCTION evil.strike(x anyelement, place text) RETURNS anyelement LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM evil.note(place);
    RETURN x;
END $$;
CREATE FUNCTION evil.strikes(place text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM evil.note(place);
    RETURN true;
END $$;
CREATE FUNCTION evil.trigger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM evil.note(TG_ARGV[0]);
    RETURN NEW;
END $$;
CREATE TABLE evil.late (place text);
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON evil.late DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION evil.trigger('deferred trigger');
SQL

# Operators and functions with closer argument types than PostgreSQL's own, and relations of the same names.
my $shadow = '';
for my $schema (qw(evil public))
{
	my $number = 0;
	for my $types ('oid int4', 'int4 oid', 'text name', 'name text', 'int8 int4', 'int4 int8', 'int2 int4', 'int4 int2',
		'oid int8', 'int8 oid', 'regclass oid', 'oid regclass', 'varchar text', 'text text', 'oid oid', 'int8 int8',
		'name name', 'regrole oid', 'oid regrole', '"char" text', 'text "char"', 'bool bool', 'int4 int4')
	{
		my ($left, $right) = split ' ', $types;
		for my $operator (qw(= <> < >=))
		{
			my $function = "$schema.shadow_" . ++$number;
			$shadow .= "CREATE FUNCTION $function($left, $right) RETURNS boolean LANGUAGE plpgsql AS \$\$ BEGIN
			            PERFORM evil.note('$schema $operator $left $right'); RETURN true; END \$\$;
			            CREATE OPERATOR $schema.$operator (LEFTARG = $left, RIGHTARG = $right, FUNCTION = $function);\n";
		}
	}
	for my $function ('format(text, text)', 'concat(text, text)', 'pg_has_role(regrole, text)', 'unnest(text[])',
		'clock_timestamp()', 'now()', 'current_setting(text)', 'quote_ident(text)', 'obj_description(oid, text)',
		'to_regclass(text)', 'jsonb_each_text(jsonb)', 'lower(text)', 'has_table_privilege(regclass, text)',
		'pg_extension_config_dump(text, text)', 'current_schema()')
	{
		$shadow .= "CREATE FUNCTION $schema.$function RETURNS text LANGUAGE plpgsql AS \$\$ BEGIN
		            PERFORM evil.note('$schema $function'); RETURN ''; END \$\$;\n";
	}
	$shadow .= "CREATE VIEW $schema.$_ AS SELECT evil.strikes('$schema $_') AS struck, 1::oid AS oid;\n"
	  for qw(pg_class pg_locks pg_settings pg_roles pg_database pg_stat_activity run task make portal);
}
$etl->sql("SET ROLE mallory; $shadow");
$etl->sql('ALTER DATABASE postgres SET search_path = evil, public; ALTER ROLE mallory SET search_path = evil, public');

sub attack
{
	my ($query, $wanted, $name) = @_;
	my ($state, $out, $err) = $etl->as('postgres', "SET search_path = evil, public; SET application_name = 'attack'; $query");
	$name //= $query;
	is($state, $wanted // '', "a superuser: $name") or diag($err);
	return $out;
}

sub unharmed
{
	my $place = shift;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($etl->sql("SELECT string_agg(DISTINCT format('%s as %s', place, who), ', ') FROM evil.log WHERE who <> 'mallory'"),
		'', "$place: hostile code ran as its writer only");
	is($etl->sql("SELECT string_agg(DISTINCT format('%s as %s', feat, who), ', ') FROM evil.feats WHERE who <> 'mallory'
	              OR feat NOT IN ('RESET SESSION AUTHORIZATION', 'RESET ROLE', 'RESET ALL', 'SET row_security = on',
	              'SET SESSION AUTHORIZATION DEFAULT', 'SET search_path = evil, public, pg_catalog',
	              'SET statement_timeout = ''1h''')"), '', "$place: and achieved nothing");
	is($etl->sql("SELECT string_agg(rolname, ', ' ORDER BY rolname) FROM pg_roles WHERE rolsuper OR rolbypassrls"), 'postgres',
		"$place: there is no new superuser");
	is($etl->sql("SELECT count(*) FROM pg_auth_members WHERE member >= 16384::oid"), 0, "$place: nobody has become a member");
	return;
}

attack('CREATE EXTENSION pg_etl SCHEMA public');
is($etl->sql('SELECT count(*) FROM evil.log'), 0, 'CREATE EXTENSION meets no object of others');
unharmed('CREATE EXTENSION');
$etl->sql("GRANT EXECUTE ON ALL ROUTINES IN SCHEMA public TO mallory, victim");

# mallory's own make, with code in every place.
$etl->as_ok('mallory', <<'SQL', 'mallory prepares a make');
SET search_path = pg_catalog, public;
SET application_name = 'test';
CREATE DOMAIN evil.struck AS text CHECK (evil.strikes('domain'));
CREATE TYPE evil.mood AS ENUM ('good');
CREATE FUNCTION evil.to_mood(text) RETURNS evil.mood LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
    PERFORM evil.note('cast'); RETURN 'good'; END $$;
CREATE CAST (text AS evil.mood) WITH FUNCTION evil.to_mood(text);
CREATE TABLE evil.listing_table (lid bigint PRIMARY KEY, acc_id int, title text);
INSERT INTO evil.listing_table SELECT i, 1, 'title ' || i FROM generate_series(1, 60) i;
CREATE INDEX ON evil.listing_table ((evil.strikes('index of a source')));
CREATE VIEW evil.listing AS SELECT lid, acc_id, evil.strike(title, 'view') AS title FROM evil.listing_table
    WHERE evil.strikes('condition of a view');
CREATE TABLE evil.customer (acc_id int PRIMARY KEY);
INSERT INTO evil.customer VALUES (1);
CREATE TABLE evil.stat (lid bigint PRIMARY KEY, note text);
INSERT INTO evil.stat SELECT i, 'note' FROM generate_series(1, 60) i;
ALTER TABLE evil.stat ENABLE ROW LEVEL SECURITY;
CREATE POLICY struck ON evil.stat USING (evil.strikes('policy'));
CREATE TABLE evil.mapping (lid bigint PRIMARY KEY);
INSERT INTO evil.mapping SELECT generate_series(1, 60);
CREATE TABLE evil.prices (lid bigint, price numeric, dt date);
INSERT INTO evil.prices SELECT i, i, '2020-01-01' FROM generate_series(1, 60) i;
CREATE TABLE evil.mart (lid bigint, portal text, title text, note text, mood evil.mood, given text,
                        defaulted text DEFAULT evil.strike('x'::text, 'default'),
                        derived text GENERATED ALWAYS AS (evil.strike(title, 'generated column')) STORED,
                        CHECK (evil.strikes('constant check')), CHECK (evil.strike(lid, 'check') > 0))
    PARTITION BY LIST (portal);
CREATE UNIQUE INDEX ON evil.mart (lid, portal);
CREATE INDEX ON evil.mart ((evil.strike(title, 'index')));
CREATE INDEX ON evil.mart (title) WHERE evil.strikes('condition of an index');
CREATE TRIGGER struck BEFORE INSERT ON evil.mart FOR EACH ROW EXECUTE FUNCTION evil.trigger('trigger of the mart');
SELECT etl_set_template('struck', $t$
SELECT ads.lid, {portal} AS portal, evil.strike(ads.title, 'template') AS title, stat.note::evil.struck::text AS note,
       stat.note::evil.mood AS mood, evil.strike('x'::text, 'constant of a template') AS given
FROM {listing} ads JOIN {stat} stat ON stat.lid = ads.lid JOIN {mapping} m ON m.lid = ads.lid
LEFT JOIN {price_state} ps ON ps.lid = ads.lid
WHERE evil.strikes('condition of a template') AND (ps.last_price IS NULL OR evil.strike(ps.last_price, 'price') > 0)$t$);
SELECT etl_add_portal('p', 'evil.listing', 'evil.customer', 'evil.stat', 'evil.prices');
CREATE TRIGGER struck BEFORE INSERT ON evil.price_state_p FOR EACH ROW EXECUTE FUNCTION evil.trigger('trigger of the state');
SELECT etl_add_make('struck', 'evil.mapping', 'evil.mart', template => 'struck', terminal => 'evil.strikes(''terminal'')',
                    portals => '{p}');
SQL
attack("SELECT count(*) FROM etl_plan('struck')");
my $run = attack("SELECT DISTINCT run_id FROM etl_seed('struck', workers => 2, chunk_rows => 20)");
attack("CALL etl_wait($run)");
is($etl->sql('SELECT count(*) FROM evil.mart'), 60, "the mart is there, by the extension's owner's leave");
$run = attack("SELECT DISTINCT run_id FROM etl_seed('struck')");
attack("SELECT etl_$_($run)") for qw(pause resume cancel retry);
attack("CALL etl_wait($run)");
attack("SELECT etl_revert($run)");
attack("SELECT etl_forget_old('struck')");
attack("SELECT etl_refresh_make('struck')");
my $fold = attack("SELECT run_id FROM etl_fold_prices('p')");
attack("CALL etl_wait($fold)");
attack('SELECT count(*) FROM etl_progress; SELECT count(*) FROM etl_runs; SELECT count(*) FROM etl_tasks;
        SELECT count(*) FROM etl_events; SELECT count(*) FROM etl_health', '', 'looks at the views');
unharmed('a make of mallory');
is($etl->sql("SELECT string_agg(DISTINCT place, ', ' ORDER BY place) FROM evil.log
              WHERE worker AND who = 'mallory' AND session = 'mallory' AND super = 'off' AND place !~ '^(evil|public) '"),
	'cast, check, condition of a template, condition of a view, condition of an index, constant check, '
	  . 'constant of a template, default, domain, generated column, index, index of a source, '
	  . 'price, template, trigger of the state, view',
	'it did run in workers, as mallory in session and rights');
is($etl->sql("SELECT string_agg(DISTINCT place, ', ') FROM evil.log WHERE place ~ '^(evil|public) ' AND NOT worker"), '',
	'no object that shadows one of PostgreSQL is met in the session that asks');

# A portal of mallory and a make of a superuser who takes all portals: neither views nor triggers run as the superuser.
$etl->sql(<<'SQL');
CREATE SCHEMA safe;
CREATE TABLE safe.listing AS SELECT lid + 1000 AS lid, acc_id, title FROM evil.listing_table;
CREATE TABLE safe.stat AS SELECT lid + 1000 AS lid, note FROM evil.stat;
CREATE TABLE safe.mapping AS SELECT generate_series(1, 2000)::bigint AS lid;
CREATE TABLE safe.prices AS SELECT lid + 1000 AS lid, price, dt FROM evil.prices;
SELECT etl_set_template('plain', 'SELECT ads.lid, {portal} AS portal, ads.title FROM {listing} ads
                                  JOIN {stat} stat ON stat.lid = ads.lid JOIN {mapping} m ON m.lid = ads.lid
                                  LEFT JOIN {price_state} ps ON ps.lid = ads.lid');
SELECT etl_drop_make('struck');
SELECT etl_drop_portal('p');
SELECT etl_add_portal('own', 'safe.listing', 'evil.customer', 'safe.stat', 'safe.prices');
SELECT etl_add_make('all', 'safe.mapping', 'safe.mart', template => 'plain');
TRUNCATE evil.log, evil.feats;
SQL
$etl->as_ok('mallory', <<'SQL', 'mallory adds a portal of views');
SET search_path = pg_catalog, public;
SET application_name = 'test';
GRANT SELECT ON ALL TABLES IN SCHEMA evil TO PUBLIC;
ALTER TABLE evil.stat DISABLE ROW LEVEL SECURITY;
DROP POLICY struck ON evil.stat;
DROP TABLE evil.price_state_p CASCADE;
SELECT etl_add_portal('p', 'evil.listing', 'evil.customer', 'evil.stat', 'evil.prices');
CREATE TRIGGER struck BEFORE INSERT ON evil.price_state_p FOR EACH ROW EXECUTE FUNCTION evil.trigger('trigger of the state');
GRANT SELECT ON evil.price_state_p TO PUBLIC;
SQL
attack("SELECT * FROM etl_seed('all')", '55000', 'a portal that others have added is not read unasked');
attack("SELECT etl_refresh_make('all')", '42501', 'nor are views of a role that has less rights');
unharmed('a portal of views');
$etl->sql("SET application_name = 'attack'; SELECT etl_drop_portal('p'); DROP TABLE evil.price_state_p");
$etl->as_ok('mallory', <<'SQL', 'mallory adds a portal of tables');
SET search_path = pg_catalog, public;
SET application_name = 'test';
DROP INDEX evil.listing_table_strikes_idx;
SELECT etl_add_portal('p', 'evil.listing_table', 'evil.customer', 'evil.stat', 'evil.prices');
CREATE TRIGGER struck BEFORE INSERT ON evil.price_state_p FOR EACH ROW EXECUTE FUNCTION evil.trigger('trigger of the state');
GRANT SELECT ON evil.price_state_p TO PUBLIC;
SQL
$run = attack("SELECT etl_refresh_make('all'); SELECT DISTINCT run_id FROM etl_seed('all')", '', 'tables are read');
$run =~ s/\s//g;
attack("CALL etl_wait($run)");
is($etl->sql('SELECT count(*) FROM safe.mart'), 120, 'with all rows');
unharmed('a portal of tables');
is($etl->sql("SELECT string_agg(DISTINCT format('%s %s', place, who), ', ') FROM evil.log
              WHERE place !~ '^(evil|public) '"),
	'trigger of the state mallory', "the fold's triggers ran as the portal's owner");

# What the superuser has not made: rates that anybody named, and a mart of which somebody else is the owner.
$etl->as_ok('mallory', <<'SQL', 'mallory names currency rates');
SET search_path = pg_catalog, public;
SET application_name = 'test';
CREATE TABLE evil.rates (country text, currency text, valid_from date, rate numeric);
CREATE INDEX ON evil.rates ((evil.strikes('index of the rates')));
GRANT SELECT ON evil.rates TO PUBLIC;
SELECT etl_set_rates('evil.rates');
SQL
attack("SELECT * FROM etl_seed('all')", '42501', 'rates with functions of others are not read');
$etl->sql('SELECT etl_set_rates(NULL)');
my $theirs = "SELECT etl_add_make('theirs', 'safe.mapping', 'safe.theirs', template => 'plain', portals => '{own}')";
$etl->sql("CREATE TABLE safe.theirs (lid bigint, portal text, title text CHECK (evil.strike(title, 'check of a mart') <> ''))
           PARTITION BY LIST (portal); ALTER TABLE safe.theirs OWNER TO mallory");
attack($theirs, '42501', 'nor is a mart taken over that calls functions of others');
$etl->sql("ALTER TABLE safe.theirs OWNER TO postgres; $theirs; ALTER TABLE safe.theirs OWNER TO mallory");
attack("SELECT * FROM etl_seed('theirs')", '42501', 'nor is a mart filled that calls functions of others');
unharmed('rates and a mart of others');
$etl->sql("SELECT etl_drop_make('theirs')");

# Code that no view and no index of the table itself calls: types with casts, children, statistics, tables under a view.
$etl->as_ok('mallory', <<'SQL', 'mallory prepares more sources');
SET search_path = pg_catalog, public;
SET application_name = 'test';
GRANT CREATE ON SCHEMA evil TO PUBLIC;
CREATE TYPE evil.name AS ENUM ('a', 'b');
CREATE FUNCTION evil.spell(evil.name) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
    PERFORM evil.note('implicit cast'); RETURN 'x'; END $$;
CREATE CAST (evil.name AS text) WITH FUNCTION evil.spell(evil.name) AS IMPLICIT;
CREATE DOMAIN evil.alias AS evil.name;
CREATE TABLE evil.typed (lid bigint PRIMARY KEY, acc_id int, title evil.name);
INSERT INTO evil.typed VALUES (5001, 1, 'a');
CREATE TABLE evil.arrayed (lid bigint PRIMARY KEY, acc_id int, title text, names evil.alias[]);
CREATE TABLE evil.parent (lid bigint PRIMARY KEY, acc_id int, title text);
CREATE TABLE evil.child () INHERITS (evil.parent);
INSERT INTO evil.child VALUES (5002, 1, 'a');
CREATE INDEX ON evil.child ((evil.strikes('index of a child')));
CREATE TABLE evil.counted (lid bigint PRIMARY KEY, acc_id int, title text);
CREATE STATISTICS evil.counts ON lid, (evil.strike(title, 'statistics')) FROM evil.counted;
CREATE TABLE evil.cast_row (lid bigint PRIMARY KEY, acc_id int, title text);
CREATE FUNCTION evil.whole(evil.cast_row) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
    PERFORM evil.note('cast of a row'); RETURN 'x'; END $$;
CREATE CAST (evil.cast_row AS text) WITH FUNCTION evil.whole(evil.cast_row) AS IMPLICIT;
GRANT SELECT ON ALL TABLES IN SCHEMA evil TO PUBLIC;
SQL
$etl->sql("TRUNCATE evil.log, evil.feats; SELECT etl_drop_make('all'); SELECT etl_drop_portal('p')");
$etl->sql('DROP TABLE evil.price_state_p CASCADE');
$etl->sql("SELECT etl_set_template('spelling', 'SELECT ads.lid, {portal} AS portal, lower(ads.title) AS title FROM {listing} ads
                                                JOIN {mapping} m ON m.lid = ads.lid')");
for my $listing (qw(typed arrayed parent counted cast_row))
{
	$etl->as_ok('mallory', "SET search_path = pg_catalog, public; SET application_name = 'test';
		SELECT etl_add_portal('p', 'evil.$listing', 'evil.customer', 'evil.stat', 'evil.prices')", "mallory adds $listing");
	attack("SELECT etl_add_make('of_$listing', 'safe.mapping', 'safe.of_$listing', template => 'spelling', portals => '{p}')",
		'42501', "evil.$listing has code of its owner");
	$etl->sql("SET application_name = 'test'; SELECT etl_drop_portal('p'); DROP TABLE evil.price_state_p CASCADE");
}
unharmed('code in types and children');

# What is plain when the run is planned need not be so when it goes on.
$etl->as_ok('mallory', "SET search_path = pg_catalog, public; SET application_name = 'test';
	SELECT etl_add_portal('p', 'evil.listing_table', 'evil.customer', 'evil.stat', 'evil.prices');
	GRANT SELECT ON evil.price_state_p TO PUBLIC", 'mallory adds a plain portal');
my $late = attack("SELECT etl_add_make('late', 'safe.mapping', 'safe.late', template => 'plain', portals => '{p}');
	BEGIN; SELECT DISTINCT run_id FROM etl_seed('late', publish => 'manual'); SELECT etl_pause(max(run_id)) FROM etl_runs; COMMIT");
$late =~ s/\s//g;
$etl->wait_for_no_workers;
$etl->as_ok('mallory', "SET search_path = pg_catalog, public; SET application_name = 'test';
	CREATE INDEX late_idx ON evil.listing_table ((evil.strikes('late index')))", 'mallory adds an index later');
attack("SELECT etl_resume($late)");
attack("CALL etl_wait($late)", '42501', 'the load refuses it');
unharmed('an index that came after the plan');
$etl->sql('DROP INDEX evil.late_idx');
attack("SELECT etl_retry($late)");
attack("CALL etl_wait($late)", '', 'without it the run goes on');
$etl->sql("SET application_name = 'test'; SELECT etl_cancel($late)");
$etl->sql("SET application_name = 'test'; SELECT etl_drop_make('late'); SELECT etl_drop_portal('p')");

# Names that the extension would use, taken before.
$etl->sql('GRANT CREATE ON SCHEMA safe TO mallory; GRANT USAGE ON SCHEMA safe TO mallory');
$etl->as_ok('mallory', <<'SQL', 'mallory takes names');
SET search_path = pg_catalog, public;
SET application_name = 'test';
CREATE TABLE safe.price_state_sq (lid bigint PRIMARY KEY, first_price numeric, first_dt date, last_price numeric,
    last_dt date, price_min numeric, price_max numeric, modified timestamptz NOT NULL DEFAULT now());
CREATE TRIGGER struck BEFORE INSERT ON safe.price_state_sq FOR EACH ROW EXECUTE FUNCTION evil.trigger('squatted state');
CREATE TABLE safe.squatted (lid bigint, portal text, title text CHECK (evil.strike(title, 'check of a squatted mart') <> ''));
CREATE TABLE safe.plainly (lid bigint, portal text, title text);
SQL
my $squatted = "SELECT etl_add_portal('sq', 'safe.listing', 'evil.customer', 'safe.stat', 'safe.prices')";
attack($squatted, '42501', 'a price state of another role is not taken over');
$etl->sql('ALTER TABLE safe.price_state_sq OWNER TO postgres');
attack($squatted, '42P07', 'nor one with triggers');
$etl->sql('DROP TRIGGER struck ON safe.price_state_sq');
attack($squatted, '', 'without, and with an owner to trust, it is');
attack("SELECT etl_add_make('sq', 'safe.mapping', 'safe.squatted', template => 'plain', portals => '{own}')", '42501',
	'a plain table with code of its owner does not become a mart');
attack("SELECT etl_add_make('sq', 'safe.mapping', 'safe.plainly', template => 'plain', portals => '{own}')", '',
	'one without does');
$etl->as_ok('mallory', "SET search_path = pg_catalog, public; SET application_name = 'test';
	CREATE TABLE safe.of_mallory PARTITION OF safe.plainly (CHECK (evil.strikes('check of a partition'))) FOR VALUES IN ('x')",
	'whose owner adds a partition');
attack("SELECT * FROM etl_seed('sq')", '42501', 'that is not seeded then');
unharmed('names taken before');
$etl->sql("SELECT etl_drop_make('sq'); SELECT etl_drop_portal('sq')");

# Rates that are read by others than runs.
$etl->as_ok('mallory', "SET search_path = pg_catalog, public; SET application_name = 'test';
	SELECT etl_set_rates('evil.rates')", 'mallory names rates again');
attack("SELECT etl.convert_currency_by_counties('DE', 'USD', 1, '2024-01-01')", '42501', 'a conversion runs no code of theirs');
$etl->sql('DROP INDEX evil.rates_strikes_idx');
attack("SELECT etl.convert_currency_by_counties('DE', 'USD', 1, '2024-01-01')", '', 'without code they are read');
$etl->sql('SELECT etl_set_rates(NULL); CREATE SCHEMA raw');
$etl->sql('CREATE TABLE raw.currency_rates (country text, currency text, valid_from date, rate numeric)');
$etl->refuses('mallory', "SET search_path = pg_catalog, public; SELECT etl_set_rates('evil.rates')", '42501', undef,
	'where there are rates, only who may act for their owner names others');
unharmed('rates at use');

attack("SELECT etl_drop_portal('own')", '', 'drops it all');
attack('DROP EXTENSION pg_etl');
unharmed('in the end');
done_testing();
