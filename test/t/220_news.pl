# What etl_on_price_change has a channel told of: valid JSON, of changed last prices and of nothing else.
use strict;
use warnings;
use Encode ();
use JSON::PP;
use PgEtl::Watched;
use Test::More;

my $etl = PgEtl::Watched->new('news', conf => "max_prepared_transactions = 2\n");
my $json = JSON::PP->new->utf8->allow_bignum;
my ($portal, $channel, @payloads);

# Makes a portal with a log of that price type, watched and heard.
sub listen_to
{
	my ($type);
	($portal, $channel, $type) = @_;
	my ($p, $c) = map { "'" . s/'/''/gr . "'" } $portal, $channel;
	$etl->sql(<<"SQL");
DROP TABLE IF EXISTS log, listing CASCADE;
CREATE TABLE listing (lid bigint PRIMARY KEY, acc_id bigint);
CREATE TABLE log (lid bigint, price $type, dt date);
CREATE INDEX ON log (lid);
SELECT etl_add_portal($p, 'listing', 'listing', 'listing', 'log');
SELECT etl_watch_prices($p), etl_on_price_change($p, $c);
SQL
	return;
}

# The changes that a listener hears of while these statements run, "lid old new" each, in order.
sub heard
{
	my ($statements) = @_;
	my $identifier = '"' . $channel =~ s/"/""/gr . '"';
	my $out = $etl->sql("LISTEN $identifier;\n$statements");
	@payloads = $out =~ /^Asynchronous notification "\Q$channel\E" with payload "(.*)" received from server process with PID \d+\.$/mg;
	my @changes = map { @{ $json->decode($_) } } @payloads;
	is_deeply([ sort map { join ' ', sort keys %$_ } @changes ], [ ('lid new old portal') x @changes ], 'has these keys') if @changes;
	is(scalar(grep { $_->{portal} ne Encode::decode('UTF-8', $portal) } @changes), 0, 'names the portal') if @changes;
	return map { join ' ', $_->{lid}, $_->{old} // 'null', $_->{new} // 'null' } @changes;
}

listen_to('p', 'prices', 'numeric');
is_deeply([ heard("INSERT INTO log VALUES (1, 10.50, '2020-01-01')") ], ['1 null 10.5'], 'a new listing');
is($payloads[0], '[{"portal":"p","lid":1,"old":null,"new":10.50}]', 'this is how it looks');
is_deeply([ heard("INSERT INTO log VALUES (1, 8, '2019-01-01')") ], [], 'an event that is not the last');
is_deeply([ heard("INSERT INTO log VALUES (1, 10.5000, '2020-01-02')") ], [], 'a later event of the same price');
is_deeply([ heard("INSERT INTO log VALUES (1, 12, '2020-01-03'), (2, 5, '2020-01-01'), (1, 11, '2020-01-02'), (3, NULL, '2020-01-01')") ],
	[ '1 10.5 12', '2 null 5' ], 'a statement, listings in order, each once');
is(scalar(@payloads), 1, 'in one notification');
is_deeply([ heard("UPDATE log SET price = price + 1 WHERE lid = 1") ], ['1 12 13'], 'UPDATE');
is_deeply([ heard("DELETE FROM log WHERE lid = 1 AND price = 13") ], ['1 13 12'], 'DELETE of the last event');
is_deeply([ heard("DELETE FROM log WHERE lid = 2") ], ['2 5 null'], 'DELETE of a listing');
is_deeply([ heard("BEGIN; INSERT INTO log VALUES (4, 1, '2020-01-01'); ROLLBACK") ], [], 'ROLLBACK');
is_deeply([ heard("BEGIN; INSERT INTO log VALUES (4, 1, '2020-01-01'); SAVEPOINT s; INSERT INTO log VALUES (5, 1, '2020-01-01'); ROLLBACK TO s;"
			. "INSERT INTO log VALUES (4, 2, '2020-01-02'); COMMIT") ], [ '4 null 1', '4 1 2' ], 'statements of a transaction, in order');
is_deeply([ heard("INSERT INTO log VALUES (4, 'NaN', '2021-01-01'), (5, 'infinity', '2021-01-01')") ],
	[ '4 2 NaN', '5 null Infinity' ], 'what JSON has no number for is text');
# Removed before any fold had made a row of it: there is nothing to tell.
$etl->sql("SELECT etl_unwatch_prices('p'); INSERT INTO log VALUES (6, 1, '2020-01-01'); SELECT etl_watch_prices('p')");
is_deeply([ heard("SELECT 1") ], [], 'etl_unwatch_prices ends it');
$etl->sql("SELECT etl_on_price_change('p', 'prices')");
is_deeply([ heard("DELETE FROM log WHERE lid = 6") ], [], 'a listing that no price state had');
$etl->fold_prices;
is_deeply([ heard('TRUNCATE log') ], [], 'TRUNCATE tells nothing');

# Split below the 8000 bytes that a notification may have; 40 digits and more each.
my @big = heard("INSERT INTO log SELECT i, 1e40 + i / 7.0, '2020-01-01' FROM generate_series(1, 2000) i");
is(scalar(@big), 2000, 'a big statement: every listing');
cmp_ok(scalar(@payloads), '>', 10, 'in several notifications');
is(scalar(grep { length >= 8000 } @payloads), 0, 'below 8000 bytes');
cmp_ok(scalar(@payloads), '<', 60, 'but not too many');

# A transaction that has notified can't be prepared; one that has not can be.
my (undef, undef, $err) = $etl->try_sql("\\set VERBOSITY verbose\nBEGIN; INSERT INTO log VALUES (1, 7, '2099-01-01'); PREPARE TRANSACTION 'told'");
like($err, qr/ERROR:  0A000: cannot PREPARE a transaction that has executed LISTEN, UNLISTEN, or NOTIFY/, 'PREPARE TRANSACTION is refused');
$etl->sql("BEGIN; INSERT INTO log VALUES (1, 7, '1999-01-01'); PREPARE TRANSACTION 'silent'; COMMIT PREPARED 'silent'");
is_deeply([ heard("SELECT etl_on_price_change('p', NULL); INSERT INTO log VALUES (1, 99, '2100-01-01')") ], [], 'NULL ends it');
is_deeply([ heard("SELECT etl_on_price_change('p', 'prices'); INSERT INTO log VALUES (1, 98, '2101-01-01')") ], ['1 99 98'], 'and a name begins it again');
$etl->sql("SELECT etl_drop_portal('p')");

# Other types, and names that need care in JSON and SQL; a channel may have 63 bytes, of any characters.
listen_to('p2', 'int', 'bigint');
is_deeply([ heard("INSERT INTO log VALUES (1, 9223372036854775807, '2020-01-01'), (9223372036854775807, -5, '2020-01-01')") ],
	[ '1 null 9223372036854775807', '9223372036854775807 null -5' ], 'bigint');
$etl->sql("SELECT etl_drop_portal('p2')");
listen_to('p3', 'float', 'double precision');
is_deeply([ heard("INSERT INTO log VALUES (1, 0.5, '2020-01-01'), (2, '-infinity', '2020-01-01'), (3, 'NaN', '2020-01-01'), (4, 1e20, '2020-01-01')") ],
	[ '1 null 0.5', '2 null -Infinity', '3 null NaN', '4 null 100000000000000000000' ], 'double precision');
$etl->sql("SELECT etl_drop_portal('p3')");
listen_to("a \"b\" \\ 'c' {/} \xc3\xbc", 'Odd "channel" \\ \'x\' ' . "\xc3\xbc" x 20, 'numeric(12,2)');
is_deeply([ heard("INSERT INTO log VALUES (1, 1, '2020-01-01')") ], ['1 null 1'], 'odd names');
$etl->node->stop;
done_testing();
