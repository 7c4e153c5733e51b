-- Every printed number is found, to the digits that are printed.
select * from hypothesis_tests.against_print
where not is_as_printed
