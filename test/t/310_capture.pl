# What no `modified` shows reaches the mart with the next sync where sources are watched: deletes, changed keys, times that
# are wrong. Of all makes that watch them; whatever else goes on.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PgEtl;
use Test::More;

my $etl = PgEtl->new('capture', rows => 600, conf => "autovacuum = off\netl.sync_overlap = 0\nmax_prepared_transactions = 5\n");
# The other make has the same listings, and a mapping of its own.
$etl->sql(<<'SQL');
CREATE TABLE mapping.lot_other AS TABLE mapping.lot_volkswagen;
ALTER TABLE mapping.lot_other ADD PRIMARY KEY (lid);
SELECT etl_add_make('other', 'mapping.lot_other', 'raw.ads_other', country => 'DE');
SQL
my @makes = qw(volkswagen other);

sub run_of { return $etl->sql("SELECT DISTINCT run_id FROM $_[0]") }

sub sync
{
	my ($name, @which) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	@which = @makes unless @which;
	my @runs = map { run_of("etl_sync('$_')") } @which;
	ok($etl->wait_for_run($_, 'done'), "$name: done") for @runs;
	return @runs;
}

# Rows that a mart and the source views do not have in common.
sub differences
{
	my ($make, $condition) = @_;
	$condition //= 'true';
	my $columns = $etl->sql("SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
		WHERE attrelid = 'etl.${make}_mobile'::regclass AND attnum > 0");
	my $views = join ' UNION ALL ', map { "SELECT $columns FROM etl.${make}_$_" } @{ $etl->{portals} };
	my $zone = $make eq 'frozen' ? "'Asia/Tokyo'" : 'DEFAULT';
	return $etl->sql("SET TimeZone = $zone; WITH ours AS (SELECT $columns FROM raw.ads_$make WHERE $condition),
		theirs AS (SELECT * FROM ($views) v WHERE $condition)
		SELECT (SELECT count(*) FROM (TABLE ours EXCEPT ALL TABLE theirs) d) + (SELECT count(*) FROM (TABLE theirs EXCEPT ALL TABLE ours) d)");
}

sub same
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(differences($_), 0, "$name: mart of $_") for @makes;
	return;
}

# The price states are in step before, so that nothing is folded between the rows that are compared.
$etl->sql("SELECT etl_watch_prices('$_')") for @{ $etl->{portals} };
my @seeds = map { run_of("etl_seed('$_')") } @makes;
ok($etl->wait_for_run($_, 'published'), 'seeded') for @seeds;
same('seeded');

# Unwatched, a delete is not found, but by a sync that looks at all listings as their prices were folded shortly before.
sync('prices of the seed');
$etl->sql('DELETE FROM raw.full_auto_mobile WHERE lid IN (SELECT lid FROM raw.ads_volkswagen WHERE portal = \'mobile\' ORDER BY lid LIMIT 3)');
sync('unwatched');
is(differences('volkswagen'), 3, 'deletes of unwatched sources are not seen');
$etl->sql("SELECT etl_watch_sources('$_')") for @makes;
sync('first after watching');
same('the first sync compares all rows');

my $few = "lid IN (SELECT lid FROM raw.ads_volkswagen WHERE portal = 'mobile' ORDER BY hashint8(lid) LIMIT 5)";
my $seller = "acc_id IN (SELECT acc_id FROM raw.ads_volkswagen WHERE portal = 'mobile' ORDER BY hashint8(lid) LIMIT 2)";
my @changes = (
	'listings deleted' => "DELETE FROM raw.full_auto_mobile WHERE $few",
	'counters deleted' => "DELETE FROM raw.stat_auto_mobile WHERE $few",
	'deleted from the mapping' => "DELETE FROM mapping.lot_volkswagen WHERE $few; DELETE FROM mapping.lot_other WHERE lid % 3 = 0",
	'sellers deleted' => "DELETE FROM raw.cust_auto_mobile WHERE $seller",
	'no new time' => "UPDATE raw.full_auto_mobile SET title = 'no time' WHERE $few",
	'a time long ago' => "UPDATE raw.stat_auto_mobile SET views = 7, modified = '2001-01-01' WHERE $few",
	'sellers without a time' => "UPDATE raw.cust_auto_mobile SET name = 'nameless', modified = '2001-01-01' WHERE $seller",
	'other keys' => "CREATE TABLE moved AS SELECT lid, 5555555555550 + row_number() OVER () AS other FROM mapping.lot_volkswagen WHERE $few;
	    UPDATE mapping.lot_volkswagen l SET lid = other FROM moved m WHERE l.lid = m.lid",
	'and back' => 'UPDATE mapping.lot_volkswagen l SET lid = m.lid FROM moved m WHERE l.lid = other',
	'other sellers' => "CREATE TABLE gone AS SELECT acc_id, 1555555550 + row_number() OVER () AS other FROM raw.cust_auto_mobile WHERE $seller;
	    UPDATE raw.cust_auto_mobile c SET acc_id = other FROM gone g WHERE c.acc_id = g.acc_id",
	'same sellers' => 'UPDATE raw.cust_auto_mobile c SET acc_id = g.acc_id FROM gone g WHERE c.acc_id = other',
	'deleted and inserted' => "WITH d AS (DELETE FROM raw.stat_auto_mobile WHERE $few RETURNING *) INSERT INTO raw.stat_auto_mobile TABLE d",
	'in a prepared transaction' => "BEGIN; DELETE FROM raw.full_auto_mobile WHERE $few; PREPARE TRANSACTION 'x'",
	'which commits' => "COMMIT PREPARED 'x'",
	'counters truncated' => 'TRUNCATE raw.stat_auto_kleinanzeigen');
while (my ($name, $change) = splice @changes, 0, 2)
{
	my $before = $name =~ /prepared/ ? 0 : -1;
	$etl->sql($change);
	cmp_ok(differences('volkswagen'), '>', $before, "$name: there is something to do") if $name !~ /inserted|prepared/;
	is($etl->sql("SELECT string_agg(state, ',') FROM etl_health WHERE subject = 'transaction'"), 'prepared', "$name: shown in etl_health")
	  if $name =~ /prepared/;
	sync($name);
	same($name);
}
is($etl->sql('SELECT count(*) FROM etl.dirty'), 0, 'all has been had by all: nothing is left in the queue');

# One make after the other; a run that is cancelled takes nothing.
$etl->sql("DELETE FROM raw.full_auto_mobile WHERE $few");
sync('one make', 'volkswagen');
is(differences('volkswagen'), 0, 'the one is in step');
cmp_ok(differences('other'), '>', 0, 'the other is not');
cmp_ok($etl->sql('SELECT count(*) FROM etl.dirty'), '>', 0, 'what it has yet to have is kept');
my $run = $etl->sql("BEGIN; SELECT DISTINCT run_id FROM etl_sync('other') \\gset\nSELECT etl_pause(:run_id);\nCOMMIT;\nSELECT :run_id") =~ s/\s//gr;
$etl->sql("SELECT etl_cancel($run)");
cmp_ok(differences('other'), '>', 0, 'its sync was cancelled');
sync('the other make', 'other');
same('both');
is($etl->sql('SELECT count(*) FROM etl.dirty'), 0, 'then nothing is kept');

# A seed has had what was there when it was asked for, and what came while it was at work is had by the next sync.
$etl->sql("DELETE FROM raw.full_auto_autoscout WHERE lid % 20 = 1");
my $seed = run_of("etl_seed('volkswagen', workers => 1, chunk_rows => 50)");
$etl->sql("DELETE FROM raw.full_auto_autoscout WHERE lid % 20 = 2; DELETE FROM raw.cust_auto_autoscout WHERE acc_id % 20 = 3");
ok($etl->wait_for_run($seed, 'published'), 'seeded while rows were deleted');
sync('after the seed');
same('after the seed');
$etl->sql("DELETE FROM raw.full_auto_autoscout WHERE lid % 20 = 4");
sync('later');
same('later');
$etl->sql("SELECT etl_revert($seed)");
sync('after going back');
same('after going back');

# A seed that is loaded, or was broken off, while syncs take what is queued: what they delete it has not had.
$seed = run_of("etl_seed('volkswagen', publish => 'manual')");
ok($etl->wait_for_run($seed, 'loaded'), 'loaded');
$etl->sql("DELETE FROM raw.full_auto_autoscout WHERE lid % 20 = 6");
sync('while a seed is loaded');
same('while a seed is loaded');
is($etl->sql('SELECT count(*) FROM etl.dirty'), 0, 'all that was queued has come to the marts');
$etl->sql("SELECT etl_publish($seed)");
ok($etl->wait_for_run($seed, 'published'), 'published later');
sync('published later');
same('published later');

# One that is cancelled, and taken up again days later: a listing that has lost its price since.
$seed = run_of("etl_seed('volkswagen', publish => 'manual')");
ok($etl->wait_for_run($seed, 'loaded'), 'loaded again');
my $priced = $etl->sql(<<'SQL');
SELECT lid FROM raw.price_state_mobile JOIN raw.full_auto_mobile l USING (lid) JOIN raw.stat_auto_mobile s USING (lid)
JOIN mapping.lot_volkswagen m USING (lid) JOIN raw.ads_volkswagen a USING (lid) JOIN raw.cust_auto_mobile c ON c.acc_id = l.acc_id
WHERE s.price_last IS NULL AND a.price_last IS NOT NULL
  AND GREATEST(l.modified, s.modified, m.modified, c.modified) < now() - interval '5 days' ORDER BY lid LIMIT 1
SQL
cmp_ok($priced, '>', 0, 'there is one that has its price of the log');
$etl->sql("SELECT etl_cancel($seed); DELETE FROM raw.prices_auto_mobile WHERE lid = $priced");
sync('it lost its price');
same('it lost its price');
$etl->sql("UPDATE etl.price_emptied SET modified = modified - interval '2 days';
           UPDATE etl.task SET mark = mark - interval '2 days 1 minute' WHERE run_id = $seed");
sync('days later');
$etl->sql("SELECT etl_retry($seed)");
ok($etl->wait_for_run($seed, 'loaded'), 'taken up again');
$etl->sql("SELECT etl_publish($seed)");
ok($etl->wait_for_run($seed, 'published'), 'published days later');
sync('published days later');
same('published days later');

# Terminal rows are looked at if they have changed themselves, not if their seller has. Whether a row is terminal depends on
# the time zone of the make, which is not the workers' own.
my $terminal = "last_visible < '2021-01-01 00:00' AND to_char(last_visible, 'TZ') = 'JST'";
$etl->sql("SET TimeZone = 'Asia/Tokyo';
    SELECT etl_add_make('frozen', 'mapping.lot_other', 'raw.ads_frozen', country => 'DE', terminal => \$\$$terminal -- old\$\$);
    SELECT etl_watch_sources('frozen')");
ok($etl->wait_for_run(run_of("etl_seed('frozen')"), 'published'), 'a make with terminal rows');
push @makes, 'frozen';
sync('a make with terminal rows');
same('a make with terminal rows');
my $count = $etl->sql("SELECT count(*) FROM raw.ads_frozen WHERE portal = 'mobile' AND last_visible < '2021-01-01 00:00+09'");
cmp_ok($count, '>', 0, 'there are some');
for my $change ("name = 'renamed', modified = now()", "name = 'renamed again', modified = '2001-01-01'")
{
	$etl->sql("UPDATE raw.cust_auto_mobile SET $change");
	sync("sellers of terminal rows: $change");
	is(differences('volkswagen'), 0, 'a make without the condition takes them all');
	is(differences('frozen', "NOT ($terminal)"), 0, 'the others are in step');
	is(differences('frozen', $terminal), 2 * $count, 'terminal ones are left out');
}
$etl->sql("UPDATE raw.full_auto_mobile SET title = 'changed after all' WHERE lid IN
           (SELECT lid FROM raw.ads_frozen WHERE portal = 'mobile' AND last_visible < '2021-01-01 00:00+09')");
sync('terminal rows that have changed');
same('terminal rows that have changed');

# Bulk: many keys in one statement, and the index of the sellers' listings.
$etl->sql('UPDATE raw.full_auto_kleinanzeigen SET title = title || lid');
sync('all of a portal');
same('all of a portal');
$etl->sql("SELECT etl_unwatch_sources('$_')") for @makes;
is($etl->sql("SELECT count(*) FROM pg_trigger WHERE tgname ~ '^etl_capture'"), 0, 'unwatched');
$etl->node->stop;
done_testing();
