# Syncs of marts whose definition, template or times of change are not those of the shipped one.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PgEtl;
use Test::More;

my $etl = PgEtl->new('sync_traps', sources => 0, conf => "autovacuum = off\netl.sync_overlap = 0\n");
my $plain = "SELECT l.lid, {portal} AS portal, l.title, c.name, s.views, m.model, m.country, m.currency, l.day,
	etl.convert_currency_by_counties(m.country, m.currency, l.lid, l.day) AS price
	FROM {listing} l JOIN {mapping} m ON m.lid = l.lid JOIN {stat} s ON s.lid = l.lid
	LEFT JOIN {customer} c ON c.acc_id = l.acc_id WHERE {country} IS NULL OR m.country = {country}";

# Sources of 1000 listings anew, and a make over them by this template.
sub begin
{
	my ($query, $before, $between) = @_;
	$etl->sql("SELECT etl_drop_make(make) FROM etl.make; SELECT etl_drop_portal(portal) FROM etl.portal");
	$etl->sql("DROP SCHEMA IF EXISTS raw, s CASCADE; CREATE SCHEMA raw; CREATE SCHEMA s;
		CREATE TABLE raw.currency_rates (country text, currency text, valid_from date, rate numeric, PRIMARY KEY (country, currency, valid_from));
		INSERT INTO raw.currency_rates VALUES ('DE', 'CHF', '2020-01-01', 0.9), ('DE', 'EUR', '2020-01-01', 1);
		CREATE TABLE s.listing (lid bigint PRIMARY KEY, acc_id bigint, title text, day date, modified timestamptz DEFAULT now());
		CREATE TABLE s.cust (acc_id bigint PRIMARY KEY, name text, modified timestamptz DEFAULT now());
		CREATE TABLE s.stat (lid bigint PRIMARY KEY, views integer, modified timestamptz DEFAULT now());
		CREATE TABLE s.prices (lid bigint, price numeric, dt date);
		CREATE TABLE s.mapping (lid bigint PRIMARY KEY, model text, country text, currency text, modified timestamptz DEFAULT now());
		INSERT INTO s.cust SELECT g, 'c' || g FROM generate_series(1, 20) g;
		INSERT INTO s.listing SELECT g, 1 + g % 20, 't' || g, date '2021-01-01' + g::integer % 100 FROM generate_series(1, 1000) g;
		INSERT INTO s.stat SELECT g, g FROM generate_series(1, 1000) g;
		INSERT INTO s.mapping SELECT g, 'm', CASE WHEN g % 10 = 0 THEN 'AT' ELSE 'DE' END, CASE WHEN g % 2 = 0 THEN 'CHF' ELSE 'EUR' END
			FROM generate_series(1, 1000) g;
		" . ($before // ''));
	$etl->sql("SELECT etl_add_portal('p', 's.listing', 's.cust', 's.stat', 's.prices')");
	$etl->sql($between) if $between;
	$etl->sql("SELECT etl_drop_template(name) FROM etl.template WHERE name <> 'ads'");
	$etl->sql("SELECT etl_set_template('t', \$t\$$query\$t\$); SELECT etl_add_make('m', 's.mapping', mart => 's.mart', template => 't', country => 'DE')");
	$etl->wait_for_run($etl->sql("SELECT DISTINCT run_id FROM etl_seed('m')"), 'published') or die 'no seed';
}

sub sync { return $etl->wait_for_run($etl->sql("SELECT DISTINCT run_id FROM etl_sync('m')"), @_ ? @_ : 'done') }

sub same
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $view = 'etl.m_p';
	is($etl->sql("SELECT (SELECT count(*) FROM (SELECT * FROM s.mart EXCEPT ALL SELECT * FROM $view) x),
	                     (SELECT count(*) FROM (SELECT * FROM $view EXCEPT ALL SELECT * FROM s.mart) x)"), '0|0', $name);
}

begin($plain);
$etl->sql("SELECT etl_drop_make('m'); SELECT etl_add_make('m', 's.mapping', mart => 's.mart', template => 't')");
like(($etl->try_sql("SELECT etl_sync('m')"))[2], qr/was never seeded/, 'a make that was added anew is not taken for the old one');

begin($plain);
$etl->sql("CREATE TABLE s.other AS SELECT lid, acc_id, title || '!' AS title, day, modified FROM s.listing WHERE lid <> 7;
           DROP TABLE s.listing CASCADE; ALTER TABLE s.other RENAME TO listing; SELECT etl_refresh_make('m')");
ok(sync(), 'the listings were rebuilt');
same('rebuilt listings are compared');

begin($plain);
$etl->sql("SELECT etl_drop_portal('p'); CREATE TABLE s.other AS SELECT * FROM s.listing WHERE lid > 500;
           SELECT etl_add_portal('p', 's.other', 's.cust', 's.stat', 's.prices')");
ok(sync(), 'the portal was added anew');
same('another portal of the name is compared');

for my $type (qw(date timestamp))
{
	begin($plain, "ALTER TABLE s.stat ALTER modified TYPE $type");
	$etl->sql("SET TimeZone = 'America/Los_Angeles'; UPDATE s.stat SET views = -1, modified = now() WHERE lid = 5");
	ok(sync(), "modified is a $type");
	same("modified is a $type, of the writer's time zone");
}

begin("SELECT m.lid, {portal} AS portal, l.title, m.model FROM {mapping} m LEFT JOIN {listing} l ON l.lid = m.lid");
$etl->sql("INSERT INTO s.mapping VALUES (5000, 'new')");
ok(sync(), 'a view that needs no listing');
same('a row without a listing comes');

begin("SELECT l.ad AS lid, {portal} AS portal, l.title, m.model FROM {listing} l JOIN {mapping} m ON m.lid = l.ad",
	'', 'ALTER TABLE s.listing RENAME lid TO ad');
$etl->sql("UPDATE s.mapping SET model = 'new', modified = now() WHERE lid = 9");
ok(sync(), 'listings have another name for the key');
same('the key has another name');

begin($plain =~ s/etl\.convert_currency_by_counties/public.converted/r,
	"CREATE OR REPLACE FUNCTION public.converted(a text, b text, c numeric, d date) RETURNS numeric LANGUAGE sql STABLE
	 AS 'SELECT etl.convert_currency_by_counties(a, b, c, d)'");
$etl->sql("UPDATE raw.currency_rates SET rate = 2");
ok(sync(), 'a function converts');
same('rates that a function has used have changed');

begin($plain =~ s/m\.country, m\.currency, l\.day,/m.model AS kind,/r);
ok(sync(), 'the mart lacks what is converted by');
$etl->sql("UPDATE raw.currency_rates SET rate = 2");
ok(sync(), 'the mart lacks what is converted by, and rates change');
same('rates have changed, of which the mart does not tell');

# The day before by the source, the day itself by the mart.
begin($plain =~ s/l\.day\)/l.day::date)/r,
	"ALTER TABLE s.listing ALTER day TYPE timestamptz USING day + interval '23:59:59.7';
	 INSERT INTO raw.currency_rates VALUES ('DE', 'EUR', '2021-02-01', 5), ('DE', 'EUR', '2021-02-02', 1);
	 CREATE TABLE s.mart (lid bigint, portal text, title text, name text, views integer, model text, country text, currency text,
	     day timestamptz(0), price numeric)");
$etl->sql("UPDATE raw.currency_rates SET rate = 7 WHERE valid_from = '2021-02-01'");
ok(sync(), 'the mart rounds the day that is converted by');
is($etl->sql('SELECT count(*) FROM s.mart t JOIN etl.m_p v USING (lid) WHERE t.price IS DISTINCT FROM v.price'), '0',
	'rates have changed of a day that the mart has rounded');

# Rates that change, are used by a part of the rows, and change back.
my $back = "UPDATE raw.currency_rates SET rate = CASE currency WHEN 'EUR' THEN 1 ELSE 0.9 END";
begin($plain);
$etl->sql("UPDATE raw.currency_rates SET rate = 2");
ok($etl->wait_for_run($etl->sql("SELECT DISTINCT run_id FROM etl_restate('m', 'p', 1, 100)"), 'done'), 'a range was restated');
$etl->sql($back);
ok(sync(), 'rates went and came back');
same('rates changed for a restatement only');

begin($plain);
$etl->sql("ALTER TABLE s.mart ADD CHECK (views >= 0); UPDATE raw.currency_rates SET rate = 2;
           UPDATE s.stat SET views = -1, modified = now() WHERE lid = 999");
ok(sync('failed'), 'a chunk fails');
$etl->sql("$back; UPDATE s.stat SET views = 1, modified = now() WHERE lid = 999");
ok(sync(), 'rates came back after a sync had failed');
same('rates changed for a part of a failed sync only');

begin($plain);
$etl->sql("CREATE UNIQUE INDEX ON s.mart (title, portal); UPDATE s.listing SET title = 't2', modified = now() WHERE lid = 1;
           UPDATE s.mapping SET country = 'AT', modified = now() WHERE lid = 2");
ok(sync(), 'a row takes over a unique value');
same('a unique value of a row that leaves');
$etl->sql("UPDATE s.listing SET title = CASE lid WHEN 1 THEN 't3' ELSE 't2' END, modified = now() WHERE lid IN (1, 3)");
ok(sync(), 'two rows exchange a unique value');
same('exchanged unique values');
is($etl->sql("SELECT count(*) FROM etl.digest d, LATERAL (SELECT count(*) AS rows, etl.digest(p) AS digest FROM s.mart p
    WHERE (p.lid >= d.lid_from OR d.lid_from IS NULL) AND (p.lid < d.lid_to OR d.lid_to IS NULL)) p
    WHERE d.relation = (SELECT inhrelid FROM pg_inherits WHERE inhparent = 's.mart'::regclass) AND (p.rows, p.digest) IS DISTINCT FROM (d.rows, d.digest)"), 0, 'and digests followed');

begin($plain);
$etl->sql("CREATE UNIQUE INDEX ON s.mart (title, portal) INCLUDE (lid);
           UPDATE s.listing SET title = CASE lid WHEN 1 THEN 't3' ELSE 't1' END, modified = now() WHERE lid IN (1, 3)");
ok(sync(), 'two rows exchange a unique value, and the index includes the lid');
same('exchanged unique values, the lid included');

# The mapping tells of lids whose listings are in other tables than the one that it is said to be.
my $more = "INSERT INTO s.stat SELECT g, g FROM generate_series(2001, 2100) g;
	INSERT INTO s.mapping SELECT g, 'm', 'AT', 'EUR' FROM generate_series(2001, 2100) g;
	INSERT INTO s.%s SELECT g, 1, 'more', '2021-01-01' FROM generate_series(2001, 2100) g";
my %elsewhere = (
	'children' => 'CREATE TABLE s.child (PRIMARY KEY (lid)) INHERITS (s.listing);' . sprintf($more, 'child'),
	'partitions' => 'ALTER TABLE s.listing RENAME TO low;
		CREATE TABLE s.listing (LIKE s.low INCLUDING DEFAULTS, PRIMARY KEY (lid)) PARTITION BY RANGE (lid);
		ALTER TABLE s.listing ATTACH PARTITION s.low FOR VALUES FROM (MINVALUE) TO (1500);
		CREATE TABLE s.high PARTITION OF s.listing FOR VALUES FROM (1500) TO (MAXVALUE);' . sprintf($more, 'listing'));
for my $kind (sort keys %elsewhere)
{
	begin($plain, $elsewhere{$kind});
	$etl->sql("UPDATE s.mapping SET country = 'DE', modified = now() WHERE lid BETWEEN 2001 AND 2010");
	ok(sync(), "listings in $kind");
	same("listings in $kind: the mapping has changed");
}

# Who rewrites a table leaves nothing there for snapshots that are older, which a sync must not read with. Here the second
# of two chunks comes to wait for him.
begin($plain, "INSERT INTO s.listing SELECT g, 1, 't', '2021-01-01' FROM generate_series(1001, 4000) g; INSERT INTO s.stat SELECT g, g FROM generate_series(1001, 4000) g;
	INSERT INTO s.mapping SELECT g, 'm', 'DE', 'EUR' FROM generate_series(1001, 4000) g; CREATE TABLE s.kept AS TABLE s.listing");
$etl->sql("UPDATE s.stat SET views = -1, modified = now()");
my ($holder, $writer) = map { $etl->node->background_psql($etl->{database}) } 1 .. 2;
my $waits = "SELECT count(*) = %d FROM pg_locks WHERE NOT granted AND relation = 's.%s'::regclass";
$holder->query_safe("BEGIN; LOCK TABLE s.mart_p IN SHARE MODE");
my $run = $etl->sql("SELECT DISTINCT run_id FROM etl_sync('m', workers => 1)");
ok($etl->wait_until(sprintf($waits, 1, 'mart_p')), 'the first chunk has read, and comes to write');
$writer->query_until(qr/begins/, "\\echo begins\nBEGIN; TRUNCATE s.listing; INSERT INTO s.listing TABLE s.kept;\n");
ok($etl->wait_until(sprintf($waits, 1, 'listing')), 'a writer waits for a source that it has read');
$holder->query_safe('COMMIT');
ok($etl->wait_until("SELECT EXISTS (SELECT FROM pg_locks WHERE granted AND relation = 's.listing'::regclass AND mode = 'AccessExclusiveLock')"), 'and has it');
ok($etl->wait_until(sprintf($waits, 1, 'listing')), 'the second chunk waits for him');
$writer->query_safe('COMMIT');
ok($etl->wait_for_run($run, 'done'), 'and goes on');
$_->quit for $holder, $writer;
same('a source that was rewritten meanwhile');

# The same of a partition and a seed, which locks it when it plans a chunk. The writer waits for whoever asks, and so comes
# before the worker.
begin($plain, 'ALTER TABLE s.listing RENAME TO leaf; CREATE TABLE s.listing (LIKE s.leaf INCLUDING DEFAULTS, PRIMARY KEY (lid)) PARTITION BY RANGE (lid);
	ALTER TABLE s.listing ATTACH PARTITION s.leaf FOR VALUES FROM (MINVALUE) TO (MAXVALUE); CREATE TABLE s.kept AS TABLE s.listing');
($holder, $writer) = map { $etl->node->background_psql($etl->{database}) } 1 .. 2;
$holder->query_safe("SET client_min_messages = error; BEGIN; SELECT etl_seed('m', workers => 1)");
$writer->query_until(qr/begins/, "\\echo begins\nBEGIN; TRUNCATE s.leaf; INSERT INTO s.leaf TABLE s.kept;\n");
ok($etl->wait_until(sprintf($waits, 1, 'leaf')), 'a writer waits for a partition');
$holder->query_safe('COMMIT');
ok($etl->wait_until("SELECT EXISTS (SELECT FROM pg_locks WHERE granted AND relation = 's.leaf'::regclass AND mode = 'AccessExclusiveLock')"), 'and has it');
ok($etl->wait_until(sprintf($waits, 1, 'leaf')), 'a seed waits for him');
$writer->query_safe('COMMIT');
ok($etl->wait_for_run($etl->sql('SELECT max(run_id) FROM etl_runs'), 'published'), 'and goes on');
$_->quit for $holder, $writer;
same('a partition that was rewritten meanwhile');

# And of rates, which are read when the first amount is converted.
begin($plain, 'CREATE TABLE s.kept AS TABLE raw.currency_rates');
$writer = $etl->node->background_psql($etl->{database});
$writer->query_safe('BEGIN; TRUNCATE raw.currency_rates; INSERT INTO raw.currency_rates TABLE s.kept');
$run = $etl->sql("SELECT DISTINCT run_id FROM etl_seed('m', workers => 1)");
ok($etl->wait_until("SELECT count(*) = 1 FROM pg_locks WHERE NOT granted AND relation = 'raw.currency_rates'::regclass"), 'a seed waits for rates');
$writer->query_safe('COMMIT');
ok($etl->wait_for_run($run, 'published'), 'and goes on');
$writer->quit;
same('rates that were loaded anew meanwhile');

done_testing();
