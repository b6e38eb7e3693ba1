# Logical replication into a watched price log: its apply fires row triggers alone.
use strict;
use warnings;
use PgEtl::Watched;
use Test::More;

my $etl = PgEtl::Watched->new('subscription',
	conf => "wal_level = logical\nmax_wal_senders = 4\nmax_replication_slots = 4\n");
my $node = $etl->node;
$etl->sql('CREATE DATABASE source');
$etl->sql(<<'SQL', 'source');
CREATE TABLE log (id bigint PRIMARY KEY, lid bigint, price numeric, dt date);
ALTER TABLE log REPLICA IDENTITY FULL;
CREATE PUBLICATION pub FOR TABLE log;
INSERT INTO log VALUES (1, 1, 5, '2020-01-01');
SQL
# The slot comes first: making it waits for transactions, of which CREATE SUBSCRIPTION on the same server is one.
$etl->sql("SELECT pg_create_logical_replication_slot('sub', 'pgoutput')", 'source');
$etl->make_log(0);
ok($etl->watch_and_fold, 'watched and folded');
is($etl->state_of, 'current', 'before there is a subscription');

my $connection = $node->connstr('source') =~ s/'/''/gr;
$etl->sql("CREATE SUBSCRIPTION sub CONNECTION '$connection' PUBLICATION pub WITH (create_slot = false, slot_name = 'sub')");
is($etl->state_of, 'stale', 'a subscription that no row trigger sees makes the price state stale');
like($etl->sql("SELECT detail FROM etl_health WHERE subject = 'price state'"), qr/subscription/, 'and says so');
ok($etl->watch_and_fold, 'watched with the row trigger');
is($etl->state_of, 'current', 'current again');
$etl->wait_until("SELECT count(*) = 0 FROM pg_subscription_rel WHERE srsubstate <> 'r'");

sub same_log
{
	my ($name) = @_;
	my $figures = 'SELECT count(*), sum(price), sum(id) FROM log';
	$etl->wait_until($figures, $etl->sql($figures, 'source'));
	return $etl->is_equal($name);
}
$etl->sql("INSERT INTO log SELECT i, i % 7, i, '2020-01-01'::date + i FROM generate_series(10, 60) i", 'source');
same_log('inserted');
cmp_ok($etl->sql('SELECT count(*) FROM kept'), '>', 3, 'there is something to compare');
$etl->sql('UPDATE log SET price = price * 2 WHERE lid < 3', 'source');
same_log('updated');
$etl->sql('DELETE FROM log WHERE lid = 4; DELETE FROM log WHERE id = 60', 'source');
same_log('deleted');
# Local writers beside it count once.
$etl->sql("INSERT INTO log (id, lid, price, dt) VALUES (1000, 5, 1000, '2030-01-01'); DELETE FROM log WHERE id = 1000");
same_log('written locally as well');
$etl->sql('TRUNCATE log', 'source');
$etl->wait_until('SELECT count(*) FROM log', 0);
$etl->is_equal('truncated');
$etl->sql("INSERT INTO log VALUES (2000, 1, 5, '2020-01-01')", 'source');
same_log('after TRUNCATE');
$etl->sql('ALTER SUBSCRIPTION sub DISABLE; ALTER SUBSCRIPTION sub SET (slot_name = NONE); DROP SUBSCRIPTION sub');
$node->stop;
done_testing();
