-- Deliveries are found by whatever somebody on the phone says of them: words, the end of a number, a barcode.
CREATE FUNCTION plain_words(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    btrim(regexp_replace(
        lower(translate($1, 'áàâãäåÁÀÂÃÄÅéèêëÉÈÊËíìîïÍÌÎÏóòôõöÓÒÔÕÖúùûüÚÙÛÜñÑçÇ', 'aaaaaaaaaaaaeeeeeeeeiiiiiiiioooooooooouuuuuuuunncc')),
        '\W+', ' ', 'g'));

CREATE INDEX stop_words ON stop USING gin (to_tsvector('simple'::regconfig,
    'account' || account_id || ' ' || plain_words(external_id || ' ' || name || ' ' || coalesce(address, ''))));
CREATE INDEX stop_phone_end ON stop (account_id, reverse(regexp_replace(phone, '\D', '', 'g')) text_pattern_ops)
    WHERE phone IS NOT NULL;
DROP INDEX stop_phone;
CREATE INDEX parcel_barcode ON parcel (barcode) WHERE barcode IS NOT NULL;
