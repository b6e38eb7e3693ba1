# Names of every kind through the whole way: mixed case, quotes, blanks, Unicode, and as long as PostgreSQL lets them be.
use strict;
use warnings;
use PgEtl;
use Test::More;

my $etl = PgEtl->new('names', sources => 0);
sub sql { return $etl->sql($_[0]) }    # all strings here are bytes
sub quoted { (my $name = shift) =~ s/"/""/g; return qq("$name") }
sub literal { (my $text = shift) =~ s/'/''/g; return "'$text'" }

# 63 bytes, or 40, that begin with the given text; all but the last letters are the same, so that clipped ones would meet.
sub long
{
	my ($begin, $bytes, $end) = @_;
	my $name = $begin;
	$name .= 'ä' while length("$name$end") + 2 <= $bytes;
	$name .= 'x' while length("$name$end") < $bytes;
	return $name . $end;
}

my @worlds = (
	{ what => 'mixed case and blanks', schema => 'My Schema', make => 'Alfa Romeo', portals => [ 'Auto Scout', 'auto scout' ],
		name => sub { "Full $_[0]" } },
	{ what => 'quotes and signs', schema => q{o'sch"ema}, make => q{citro'ën"; DROP TABLE x; --},
		portals => [ q{a'b"c}, q{%s {make} $1 \\} ], name => sub { qq{o'"$_[0]" \\ .;} } },
	{ what => 'Unicode', schema => 'Схема', make => 'Škoda 漢字 🚗', portals => [ 'мобиле', 'موقع' ], name => sub { "表_$_[0]" } },
	{ what => 'reserved words', schema => 'user', make => 'select', portals => [ 'table', 'null' ], name => sub { "order_$_[0]" } },
	{ what => 'the longest', schema => long('Schema', 63, 's'), make => long('Make', 40, 'm'),
		portals => [ long('Portal', 40, 'p'), long('Portal', 40, 'q') ], name => sub { long('Relation', 63, $_[0]) } });

for my $world (@worlds)
{
	my ($what, $make, @portals) = ($world->{what}, $world->{make}, @{ $world->{portals} });
	my $schema = quoted($world->{schema});
	my $relation = sub { $schema . '.' . quoted($world->{name}->(shift)) };
	my ($column, $mart) = (quoted($world->{name}->('c')), $relation->('mart'));
	sql("CREATE SCHEMA $schema; CREATE TABLE @{[ $relation->('map') ]} (lid bigint PRIMARY KEY, $column text);
	     INSERT INTO @{[ $relation->('map') ]} SELECT i, 'x' || i FROM generate_series(1, 200) i");
	for my $number (0, 1)
	{
		my ($listing, $customer, $stat, $prices) = map { $relation->("$_$number") } qw(l c s p);
		sql("CREATE TABLE $listing (lid bigint PRIMARY KEY, acc_id int, $column text);
		     INSERT INTO $listing SELECT 2 * i + $number, 1, 'listing ' || i FROM generate_series(1, 90) i;
		     CREATE TABLE $customer (acc_id int); CREATE TABLE $stat (lid bigint);
		     CREATE TABLE $prices (lid bigint, price numeric, dt date);
		     INSERT INTO $prices SELECT lid, lid, '2020-01-01' FROM $listing;
		     SELECT etl_add_portal(@{[ literal($portals[$number]) ]}, " . join(', ', map { literal($_) } $listing, $customer, $stat,
				$prices) . ')');
	}
	sql("SELECT etl_set_template(@{[ literal($world->{name}->('t')) ]}, " . literal(
			"SELECT ads.lid, {portal} AS portal, {make} AS make, ads.$column AS $column, ps.last_price AS modified, m.$column AS model
			 FROM {listing} ads JOIN {mapping} m ON m.lid = ads.lid LEFT JOIN {price_state} ps ON ps.lid = ads.lid") . ')');
	my $names = 'ARRAY[' . join(', ', map { literal($_) } @portals) . ']';
	sql("SELECT etl_add_make(@{[ literal($make) ]}, @{[ literal($relation->('map')) ]}, @{[ literal($mart) ]},
	     template => @{[ literal($world->{name}->('t')) ]}, portals => $names)");

	my $plan = sql("SELECT count(*) FROM etl_plan(@{[ literal($make) ]}, chunk_rows => 30) WHERE kind IN ('load', 'index', 'publish')");
	cmp_ok($plan, '>', 8, "$what: planned");
	my @runs;
	for my $round (1, 2)
	{
		sql("DELETE FROM @{[ $relation->('map') ]} WHERE lid > 100") if $round == 2;
		push @runs, sql("SELECT DISTINCT run_id FROM etl_seed(@{[ literal($make) ]}, workers => 2, chunk_rows => 30)");
		ok($etl->wait_for_run($runs[-1]), "$what: published, round $round");
		is(sql("SELECT count(*) FROM $mart WHERE make = @{[ literal($make) ]} AND portal = ANY ($names) AND modified = lid"),
			$round == 1 ? 180 : 99, "$what: with the right rows, names and prices");
	}
	is(sql("SELECT count(DISTINCT portal) FROM $mart"), 2, "$what: of both portals");
	is(sql("SELECT count(*) FROM pg_inherits WHERE inhparent = @{[ literal($mart) ]}::regclass"), 2, "$what: two partitions");
	is(sql("SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
	        WHERE nspname = @{[ literal($world->{schema}) ]} AND relkind = 'r' AND relname LIKE '%\\_old'
	        AND NOT relispartition"), 2, "$what: and two replaced ones") if $what ne 'the longest';
	sql("SELECT etl_revert($runs[1])");
	is(sql("SELECT count(*) FROM $mart"), 180, "$what: reverted");
	sql("SELECT etl_forget_old(@{[ literal($make) ]})");
	my ($code, undef, $err) = $etl->try_sql("SELECT etl_revert($runs[1])");
	like($err, qr/cannot be reverted|cannot revert/, "$what: the old ones are forgotten");
	sql("SELECT etl_refresh_make(@{[ literal($make) ]})");
	is(sql("SELECT string_agg(DISTINCT make, '') FROM etl_runs WHERE run_id = $runs[0]"), $make, "$what: etl_runs has the name");
	is(sql("SELECT count(*) FROM etl_health WHERE subject = 'price state' AND name = ANY ($names)"), 2, "$what: etl_health has the portals");
}

# Source views and price states of names that are alike until they are clipped are different ones.
is(sql('SELECT count(DISTINCT view) FROM etl.source'), 10, 'each make and portal has a view of its own');
is(sql('SELECT count(DISTINCT price_state) FROM etl.portal'), 10, 'each portal has a price state of its own');
is(sql('SELECT max(octet_length(relname)) FROM pg_class'), 63, 'names are as long as they may be');

# And away with all of it.
for my $world (@worlds)
{
	sql("SELECT etl_drop_make(@{[ literal($world->{make}) ]})");
	sql("SELECT etl_drop_template(@{[ literal($world->{name}->('t')) ]})");
	sql("SELECT etl_drop_portal(@{[ literal($_) ]})") for @{ $world->{portals} };
}
is(sql('SELECT (SELECT count(*) FROM etl.source) + (SELECT count(*) FROM etl.portal) + (SELECT count(*) FROM etl.make)'), 0,
	'all can be dropped');

# One byte more.
for my $call ("etl_add_portal('NAME', 'pg_class', 'pg_class', 'pg_class', 'pg_class')", "etl_add_make('NAME', 'pg_class')")
{
	for my $name (long('x', 41, 'x'), 'y' x 41)
	{
		(my $query = $call) =~ s/NAME/$name/;
		my ($code, undef, $err) = $etl->try_sql("\\set VERBOSITY verbose\nSELECT $query");
		like($err, qr/ERROR:  42622: .*DETAIL:  .*41 bytes; the most is 40.*HINT:  /s, "41 bytes: $query");
	}
}
my ($code, undef, $err) = $etl->try_sql("\\set VERBOSITY verbose\nSELECT etl_set_template('" . 'z' x 64 . "', 'SELECT 1')");
like($err, qr/ERROR:  42622/, 'a template of 64 bytes');
done_testing();
