-- Which few products make most of the turnover?
select *
from ml.abc_analysis(
    '(select name, quantity * order_items.price as amount from shop.order_items join shop.products using (product_id))', 'name', 'amount'
)
