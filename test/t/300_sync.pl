# A sync makes the mart what a fresh seed would, whatever has changed in whichever source, and writes nothing else.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PgEtl;
use Test::More;

my $etl = PgEtl->new('sync', rows => 3000, register => 0, conf => "shared_buffers = 256MB\nautovacuum = off\netl.sync_overlap = 0\n");
# Prices come to the state as they are written.
$etl->add_portal($_) for @{ $etl->{portals} };
$etl->sql("SELECT etl_watch_prices('$_')") for @{ $etl->{portals} };
$etl->register_make;
ok($etl->wait_for_run($etl->seed(workers => 2), 'published'), 'seeded');

sub sync
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $run = $etl->sql("SELECT DISTINCT run_id FROM etl_sync('volkswagen', workers => 2)");
	ok($etl->wait_for_run($run, 'done'), "$name: done");
	return $run;
}

# The legacy mart, made by a first run.
sub same
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$etl->sql('DROP TABLE IF EXISTS legacy.ads_volkswagen');
	return $etl->same_mart($name);
}

# Versions of rows that the partitions have got so far.
sub versions
{
	return $etl->sql("SELECT pg_stat_force_next_flush(); SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables
	                  WHERE relid IN (SELECT relid FROM pg_partition_tree('raw.ads_volkswagen'))") =~ s/\n//r;
}

sub written { return $etl->sql("SELECT COALESCE(sum(rows), 0) FROM etl_tasks WHERE run_id = $_[0] AND kind = 'sync'") }

my $idle = sync('nothing changed');
is(written($idle), 0, 'nothing changed: no row was written');
same('nothing changed');

my @changes = (
	listing => "UPDATE raw.full_auto_mobile SET price = price + 1, title = 'new', modified = now() WHERE lid % 50 = 1",
	stat => "UPDATE raw.stat_auto_autoscout SET views = views + 1, last_visible = now(), modified = now() WHERE lid % 50 = 2",
	mapping => "UPDATE mapping.lot_volkswagen SET trim = 'changed', modified = now() WHERE lid % 50 = 3",
	customer => "UPDATE raw.cust_auto_kleinanzeigen SET name = 'other', modified = now() WHERE acc_id % 40 = 4",
	prices => "INSERT INTO raw.prices_auto_mobile SELECT lid, 1, '2001-01-01' FROM raw.full_auto_mobile WHERE lid % 50 = 5",
	'removed prices' => "DELETE FROM raw.prices_auto_mobile WHERE lid % 50 = 6",
	withdrawn => "UPDATE mapping.lot_volkswagen SET model = CASE WHEN lid % 3 = 0 THEN NULL ELSE model END,
	    country = CASE WHEN lid % 3 = 1 THEN 'XX' ELSE country END,
	    article_type = CASE WHEN lid % 3 = 2 THEN 'boat' ELSE article_type END, modified = now() WHERE lid % 50 = 7",
	'come back' => "UPDATE mapping.lot_volkswagen SET model = 'Golf', country = 'DE', article_type = 'car', modified = now()
	    WHERE lid % 50 IN (7, 8)",
	'another seller' => "UPDATE raw.full_auto_mobile SET acc_id = (SELECT max(acc_id) FROM raw.cust_auto_mobile), modified = now()
	    WHERE lid % 50 = 9",
	'a new listing' => "INSERT INTO raw.full_auto_mobile (lid, acc_id, vin, modified)
	        SELECT 77000000000 + g, (SELECT min(acc_id) FROM raw.cust_auto_mobile), 'WVWZZZ1JZXW000001', now() FROM generate_series(1, 20) g;
	    INSERT INTO raw.stat_auto_mobile (lid, last_visible, modified)
	        SELECT 77000000000 + g, now(), now() FROM generate_series(1, 20) g;
	    INSERT INTO mapping.lot_volkswagen (lid, make, model, article_type, country, currency, modified)
	        SELECT 77000000000 + g, 'volkswagen', 'Golf', 'car', 'DE', 'CHF', now() FROM generate_series(1, 20) g",
	'a rate changed' => "UPDATE raw.currency_rates SET rate = rate * 2 WHERE country = 'DE' AND currency = 'CHF'
	    AND valid_from > '2020-01-01'",
	'a new rate' => "INSERT INTO raw.currency_rates SELECT DISTINCT country, currency, date '2021-06-05', 17 FROM raw.currency_rates
	    WHERE country = 'DE' ON CONFLICT (country, currency, valid_from) DO UPDATE SET rate = 18",
	'rates removed' => "DELETE FROM raw.currency_rates WHERE currency = 'PLN' AND valid_from > '2020-01-01'",
	'no rates at all' => "TRUNCATE raw.currency_rates",
	'a rate again' => "INSERT INTO raw.currency_rates VALUES ('DE', 'EUR', '-infinity', 1), ('DE', 'CHF', '2022-01-01', 0.9)",
	'a currency' => "UPDATE mapping.lot_volkswagen SET currency = 'CHF', modified = now() WHERE lid % 50 = 10",
);
while (my ($name, $change) = splice @changes, 0, 2)
{
	$etl->sql($change);
	my $run = sync($name);
	cmp_ok(written($run), '>', 0, "$name: rows were written");
	same($name);
	my $before = versions();
	is(written(sync("$name, then nothing")), 0, "$name, then nothing: no row was written");
	is(versions(), $before, "$name, then nothing: nor touched");
}

# A sync that is at work looks once more when it is asked for again.
my $holder = $etl->node->background_psql('postgres');
$holder->query_safe('BEGIN; LOCK TABLE raw.ads_volkswagen IN SHARE MODE');
$etl->sql("UPDATE raw.stat_auto_mobile SET views = 1, modified = now() WHERE lid % 50 = 11");
my $at_work = $etl->sql("SELECT DISTINCT run_id FROM etl_sync('volkswagen')");
ok($etl->wait_until("SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'pg_etl worker' AND wait_event_type = 'Lock'"),
	'a sync at work');
$etl->sql("UPDATE raw.stat_auto_autoscout SET views = 2, modified = now() WHERE lid % 50 = 12");
is(sync_asked(), $at_work, 'asked for again: it is the same');
$holder->query_safe('COMMIT');
$holder->quit;
ok($etl->wait_for_run($at_work, 'done'), 'asked for again: done');
same('asked for again');
sub sync_asked { return $etl->sql("SELECT DISTINCT run_id FROM etl_sync('volkswagen')") }

# Changes while a seed is at work, and between its end and the first sync.
my $run = $etl->seed(workers => 1, chunk_rows => 100);
for my $round (1 .. 5)
{
	$etl->sql("UPDATE raw.full_auto_$_ SET title = title || '$round', modified = now() WHERE lid % 20 = $round;
	           UPDATE raw.stat_auto_$_ SET views = $round, modified = now() WHERE lid % 20 = 5 + $round;
	           UPDATE raw.currency_rates SET rate = rate + 0.1") for @{ $etl->{portals} };
}
ok($etl->wait_for_run($run, 'published'), 'changed during a seed: published');
sync('changed during a seed');
same('changed during a seed');
is(written(sync('after a seed')), 0, 'and then no row is written');

# Everything anew writes nothing, byte by byte.
for my $portal (@{ $etl->{portals} })
{
	my $restated = $etl->sql("SELECT DISTINCT run_id FROM etl_restate('volkswagen', '$portal', NULL, NULL)");
	ok($etl->wait_for_run($restated, 'done'), "restating $portal: done");
	is(written($restated), 0, "restating $portal: all rows are what the source view gives");
}
$etl->sql("UPDATE raw.ads_volkswagen SET price = 1 WHERE portal = 'mobile' AND lid % 7 = 0;
           DELETE FROM raw.ads_volkswagen WHERE portal = 'mobile' AND lid % 7 = 1");
my $restated = $etl->sql("SELECT run_id FROM etl_restate('volkswagen', 'mobile', NULL, NULL)");
ok($etl->wait_for_run($restated, 'done'), 'restated: done');
cmp_ok(written($restated), '>', 100, 'restated: rows were written');
same('restated');

# The digests have followed.
my @digests = split /\n/, $etl->sql("SELECT count(*) || ' ' || d.relation FROM etl.digest d GROUP BY d.relation");
for my $digest ($etl->sql("SELECT string_agg(DISTINCT relation::text, ' ') FROM etl.digest") =~ /\S+/g)
{
	is($etl->sql("SELECT count(*) FROM etl.digest d, LATERAL (SELECT count(*) AS rows, etl.digest(p) AS digest FROM $digest p
	              WHERE (d.lid_from IS NULL OR p.lid >= d.lid_from) AND (d.lid_to IS NULL OR p.lid < d.lid_to)) p
	              WHERE d.relation = '$digest'::regclass AND (d.rows, d.digest) IS DISTINCT FROM (p.rows, p.digest)"),
		0, "digests of $digest");
}
# What a sync reads first it leaves for others to mark, and to log as whole pages.
$etl->sql("UPDATE raw.full_auto_mobile SET title = 'read quietly', modified = now() WHERE lid % 20 = 1;
           UPDATE mapping.lot_volkswagen SET trim = 'read quietly', modified = now() WHERE lid % 20 = 2");
$etl->sql('CHECKPOINT');
cmp_ok(written(sync('quietly')), '>', 0, 'what nobody has read is found');
$etl->sql('CHECKPOINT');
for my $source ('raw.full_auto_mobile', 'mapping.lot_volkswagen')
{
	like($etl->sql("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) SELECT count(*) FROM $source WHERE modified IS NOT NULL") =~ s/Planning:.*//sr,
	     qr/dirtied=/, "pages of $source were left as they were");
}
same('after that');

$etl->node->stop;
done_testing();
