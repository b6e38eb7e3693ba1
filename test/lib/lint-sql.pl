#!/usr/bin/env perl
# Prints the functions of install scripts that run SQL without a pinned search_path, and the objects without a comment.
use strict;
use warnings;

my (%made, %told);
for my $file (@ARGV)
{
	open my $in, '<', $file or next;
	local $/;
	my $text = <$in>;
	close $in;

	# Bodies and comments are blanked, so that what remains can be cut at semicolons; line numbers stay.
	$text =~ s{--[^\n]*}{}g;
	$text =~ s{(\$\w*\$)(.*?)\1}{my $n = ($2 =~ tr/\n//); "BODY" . ("\n" x $n)}gse;
	$text =~ s{\bBEGIN\s+ATOMIC\b(.*?)\bEND\s*;}{my $n = ($1 =~ tr/\n//); "ATOMIC" . ("\n" x $n) . ";"}gsie;
	$text =~ s{'(?:[^']|'')*'}{my $s = $&; my $n = ($s =~ tr/\n//); "'TEXT'" . ("\n" x $n)}gse;

	my $line = 1;
	for my $statement (split /;/, $text)
	{
		my ($space) = $statement =~ /^(\s*)/;
		my $at = $line + ($space =~ tr/\n//);
		$line += ($statement =~ tr/\n//);
		if ($statement =~ /^\s*CREATE\s+(FUNCTION|PROCEDURE)\s+([\w.@]+)/i)
		{
			my ($kind, $name) = (lc $1, $2);
			$made{"function $name"} = "$file:$at";
			next if $statement !~ /\bLANGUAGE\s+(sql|plpgsql)\b/i or $statement =~ /\bATOMIC\b|\bRETURN\s+[^S]/;
			print "$file:$at: $kind $name has no SET search_path\n" if $statement !~ /\bSET\s+search_path\b/i;
		}
		elsif ($statement =~ /^\s*CREATE\s+(?:UNLOGGED\s+)?(TABLE|VIEW|TYPE|SEQUENCE|AGGREGATE)\s+([\w.@]+)/i)
		{
			$made{ lc($1) . " $2" } = "$file:$at";
		}
		elsif ($statement =~ /^\s*COMMENT\s+ON\s+(TABLE|VIEW|TYPE|SEQUENCE|AGGREGATE|FUNCTION|PROCEDURE|ROUTINE)\s+([\w.@]+)/i)
		{
			my ($kind, $name) = (lc $1, $2);
			$kind = 'function' if $kind eq 'procedure' or $kind eq 'routine';
			$told{"$kind $name"} = 1;
		}
	}
}
print "$made{$_}: $_ has no COMMENT ON\n" for sort grep { !$told{$_} } keys %made;
