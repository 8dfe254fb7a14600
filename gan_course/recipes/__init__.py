"""What `gan_course.methods` is made of: what a recipe is, the pieces of recipes, and the recipes by topic."""
