# A sync does not read what nobody has written to since the last one, and misses nothing by that.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use PgEtl;
use Test::More;

# With wal_level = minimal, pages of tables that are filled in the transaction that emptied them have no position.
my $etl = PgEtl->new('sync_unwritten', sources => 0, conf => "autovacuum = off\netl.sync_overlap = 0\n"
	  . "max_prepared_transactions = 3\nwal_level = minimal\nmax_wal_senders = 0\nwal_skip_threshold = 0\n");
$etl->sql(<<'SQL');
CREATE ROLE alice LOGIN;
CREATE SCHEMA s;
GRANT USAGE, CREATE ON SCHEMA s TO alice;
CREATE TABLE s.listing (lid bigint PRIMARY KEY, acc_id bigint, title text, modified timestamptz DEFAULT now());
CREATE TABLE s.cust (acc_id bigint PRIMARY KEY, name text, modified timestamptz DEFAULT now());
CREATE TABLE s.stat (lid bigint PRIMARY KEY, views integer, modified timestamptz DEFAULT now());
CREATE TABLE s.prices (lid bigint, price numeric, dt date);
CREATE TABLE s.mapping (lid bigint PRIMARY KEY, model text, modified timestamptz DEFAULT now());
INSERT INTO s.cust SELECT g, 'c' || g FROM generate_series(1, 20) g;
INSERT INTO s.listing SELECT g, 1 + g % 20, repeat('t', 500) || g FROM generate_series(1, 1000) g;
INSERT INTO s.stat SELECT g, g FROM generate_series(1, 1000) g;
INSERT INTO s.mapping SELECT g, 'm' FROM generate_series(1, 1000) g;
GRANT SELECT ON ALL TABLES IN SCHEMA s TO alice;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO alice;
SET ROLE alice;
SELECT etl_add_portal('p', 's.listing', 's.cust', 's.stat', 's.prices');
SELECT etl_set_template('t', 'SELECT l.lid, {portal} AS portal, l.title, c.name, s.views, m.model FROM {listing} l
    JOIN {mapping} m ON m.lid = l.lid JOIN {stat} s ON s.lid = l.lid LEFT JOIN {customer} c ON c.acc_id = l.acc_id');
SELECT etl_add_make('m', 's.mapping', mart => 's.mart', template => 't');
SQL
ok($etl->wait_for_run($etl->sql("SELECT DISTINCT run_id FROM etl_seed('m')"), 'published'), 'a mart');

sub sync { return $etl->wait_for_run($etl->sql("SELECT DISTINCT run_id FROM etl_sync('m')"), @_ ? @_ : 'done') }

# How often sources were read as a whole so far.
sub scans
{
	my ($names) = @_;
	$names //= "'listing', 'cust', 'stat', 'mapping', 'price_state_p'";
	return $etl->sql("SELECT sum(seq_scan) FROM pg_stat_user_tables WHERE schemaname = 's' AND relname IN ($names)");
}

sub same
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($etl->sql("SELECT (SELECT count(*) FROM (TABLE s.mart EXCEPT ALL TABLE etl.m_p) x),
	                            (SELECT count(*) FROM (TABLE etl.m_p EXCEPT ALL TABLE s.mart) x)"), '0|0', $name);
}

# A sync that reads may tidy up pages, which writes them; the one after it has nothing to do.
sub idle
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	sync();
	my $before = scans();
	ok(sync(), "$name: a sync");
	return is(scans() - $before, 0, "$name: reads no source");
}

my $before = scans();
ok(sync(), 'the first sync');
cmp_ok(scans(), '>', $before, 'does not know what was written since the seed, and reads');
idle('nothing was written');

# A row with an old time of change, so that there is nothing to apply.
$etl->sql("UPDATE s.stat SET modified = '2000-01-01' WHERE lid = 500");
$before = scans("'listing', 'cust', 'mapping'");
my $stat = scans("'stat'");
ok(sync(), 'one table was written');
is(scans("'listing', 'cust', 'mapping'") - $before, 0, 'the others are not read');
cmp_ok(scans("'stat'"), '>', $stat, 'it is');
$etl->sql("UPDATE s.stat SET views = -1, modified = now() WHERE lid = 500");
ok(sync(), 'a change');
same('what was written is found');
idle('after that');

# The visibility map tells it without a look at pages, unless it was written itself.
$etl->sql($_) for 'VACUUM s.listing', 'VACUUM s.stat', 'VACUUM s.cust', 'VACUUM s.mapping';
ok(sync(), 'after a vacuum');
idle('all pages are all-visible');
$etl->sql("UPDATE s.listing SET title = 'other', modified = now() WHERE lid IN (1, 999)");
ok(sync(), 'some are no more');
same('pages that are all-visible no more');
$etl->sql("UPDATE s.listing SET title = 'another', modified = now() WHERE lid IN (1, 999)");
$etl->sql('VACUUM s.listing');
ok(sync(), 'pages that were all-visible, then were not, and are again');
same('all-visible again');

# Who has written before the sync and commits after it.
my $late = $etl->node->background_psql($etl->{database});
$late->query_safe("BEGIN; UPDATE s.stat SET views = -2, modified = now() WHERE lid = 5");
ok(sync(), 'while a writer is at work');
ok(sync(), 'and again');
$late->query_safe('COMMIT');
ok(sync(), 'after it has committed');
same('a transaction that commits late');
$late->query_safe("BEGIN; UPDATE s.cust SET name = 'late', modified = now() + '10 s' WHERE acc_id = 5; PREPARE TRANSACTION 'late'");
ok(sync(), 'while a prepared transaction waits');
ok(sync(), 'and again');
$etl->sql("COMMIT PREPARED 'late'");
ok(sync(), 'after that');
same('a prepared transaction');
$late->query_safe("BEGIN; UPDATE s.listing SET title = 'kept', modified = now() WHERE lid = 7; SAVEPOINT a;
                   UPDATE s.listing SET title = 'kept, too', modified = now() WHERE lid = 8");
ok(sync(), 'while subtransactions are at work');
$late->query_safe('RELEASE a; COMMIT');
ok(sync(), 'after them');
same('subtransactions');
$late->quit;
idle('once all have ended');

# What the log does not have.
$etl->sql("BEGIN; CREATE TEMP TABLE kept AS TABLE s.stat; TRUNCATE s.stat; INSERT INTO s.stat SELECT lid, views + 1, now() FROM kept; COMMIT");
ok(sync(), 'a table that was filled without the log');
same('what the log does not have');
$before = scans("'stat'");
ok(sync(), 'once more');
cmp_ok(scans("'stat'"), '>', $before, 'a page without a position counts as written');

# Tables that got another file, and a crash.
$etl->sql('VACUUM FULL s.stat');
$etl->sql("UPDATE s.stat SET views = -3, modified = now() WHERE lid = 77");
$etl->sql("UPDATE s.mapping SET model = 'before the crash', modified = now() WHERE lid = 78");
$etl->node->stop('immediate');
$etl->node->start;
ok(sync(), 'after a crash');
same('another file, and a crash');
$etl->sql('VACUUM (FREEZE, DISABLE_PAGE_SKIPPING) s.stat');
idle('after both');

# Another cluster's positions say nothing here.
$etl->sql('UPDATE etl.partition SET cluster = cluster + 1');
$before = scans();
ok(sync(), 'in another cluster');
cmp_ok(scans(), '>', $before, 'all is read');
idle('there');

# Rights are needed, though nothing is read.
$etl->sql('REVOKE SELECT ON s.stat FROM alice');
ok(sync('failed'), 'a source that was revoked is an error');
$etl->sql('GRANT SELECT ON s.stat TO alice');
ok(sync(), 'and none when it is granted again');
same('at the end');
done_testing();
