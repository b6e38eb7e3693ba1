-- One row of word lists. What is not ASCII is written by its code point, and left out where the encoding lacks it.
-- SQL_ASCII takes any bytes, so there it is the bytes of UTF-8.
SELECT current_setting('server_encoding') = 'UTF8' AS unicode,
       current_setting('server_encoding') IN ('LATIN1', 'LATIN9', 'WIN1252') AS latin \gset

CREATE TEMP TABLE words ON COMMIT DROP AS
SELECT
    '{Golf,Golf,Golf,Passat,Passat,Polo,Tiguan,T-Roc,up!,Touran,ID.3,e-Golf,"Caddy Maxi"}'::text[] AS model,
    '{GTI,TDI,"1.4 TSI",Highline,"R-Line","",NULL}'::text[] AS variant,
    '{I,II,III,IV,V,VI,VII,VIII,NULL}'::text[] AS generation,
    '{diesel,petrol,petrol,electric,hybrid,lpg,cng,NULL}'::text[] AS fuel,
    '{manual,automatic,semi-automatic,NULL}'::text[] AS gearbox,
    '{front,rear,all,NULL}'::text[] AS drive,
    '{limousine,kombi,suv,van,cabrio,NULL}'::text[] AS body,
    '{black,white,silver,red,blue,"dark \"magic\" blue",NULL}'::text[] AS color,
    '{new,used,used,used,used,demo,NULL,New}'::text[] AS condition,
    '{euro1,euro4,euro5,euro6d-temp,euro6d,NULL}'::text[] AS emission_class,
    '{dealer,dealer,private,NULL}'::text[] AS seller_type,
    '{ABS,ESP,Sitzheizung,Navi,Tempomat,Klima,"Xenon, LED",Alufelgen,"","8-fach bereift"}'::text[] AS equipment,
    '{"Garantie","HU neu","Scheckheft","1. Hand"}'::text[] AS seal,
    '{Berlin,Hamburg,"Bad Homburg v. d. H.","O''Fallon","",NULL}'::text[] AS city,
    '{B,HH,M,F,K,BO,IN,OS}'::text[] AS district,
    -- what is typed into a VIN or a plate by mistake
    '{" ",-,.,/,_,"\\"}'::text[] AS junk,
    '{A,B,E,K,M,H,O,P,C,T,X}'::text[] AS lookalike,
    '{"plain","say \"cheese\"","it''s","back\\slash","tab\tand\nnewline","a;b,c{d}","--","$$","%s %1$s","\\N",""}'::text[]
        AS remark;
UPDATE words SET remark = remark || E'two\nlines\r\nand\ta tab'::text;

\if :unicode
UPDATE words SET
    district = district || E'{W\u00dc,L\u00d6,T\u00dc,g\u00f6,\u00c4,m\u00fc}'::text[],
    city = city || E'{M\u00fcnchen,K\u00f6ln,Wei\u00dfenfels,"\u0141\u00f3d\u017a"}'::text[],
    junk = junk || E'{\u00a0,\u200b,\ufeff,\u0308,\u2013,\u00df,\u0131,\u212a,\uff21,\u1e9e}'::text[],
    lookalike = lookalike || E'{\u0410,\u0412,\u0415,\u041a,\u041c,\u041d,\u041e,\u0420,\u0421,\u0422,\u0425}'::text[],
    remark = remark || E'{"\u65e5\u672c\u8a9e \U0001f697","combining A\u0308","sch\u00f6n","\u202eright to left"}'::text[];
\elif :latin
UPDATE words SET
    district = district || E'{W\u00dc,L\u00d6,T\u00dc,g\u00f6,\u00c4,m\u00fc}'::text[],
    city = city || E'{M\u00fcnchen,K\u00f6ln,Wei\u00dfenfels}'::text[],
    junk = junk || E'{\u00a0,\u00df,\u00b5,\u00ff}'::text[],
    remark = remark || E'{"sch\u00f6n","\u00bfqu\u00e9?"}'::text[];
\else
UPDATE words SET
    district = district || E'{W\xc3\x9c,L\xc3\x96,g\xc3\xb6,m\xc3\xbc}'::text[],
    city = city || E'{M\xc3\xbcnchen,K\xc3\xb6ln}'::text[],
    junk = junk || E'{\xc2\xa0,\xe2\x80\x8b,\xc3\x9f,\xff}'::text[],
    lookalike = lookalike || E'{\xd0\x90,\xd0\x92}'::text[],
    remark = remark || E'{"sch\xc3\xb6n","\xfe\xff"}'::text[];
\endif
